#include "cli/answer.h"
#include "cli/command.h"
#include "cli/stored_events.h"
#include "config/configuration.h"
#include "investigate/recorded.h"
#include "store/store.h"

#include <memory>
#include <utility>

#include <CLI/CLI.hpp>

namespace watchpost::cli {
namespace {

constexpr size_t kMostShadow = 1'000'000;

struct ShadowOptions {
  SpanOptions span;
  size_t limit = 20;
};

// Those made in the span.
template <class Made>
std::vector<Made> within(std::vector<Made> all, const Span& span, Time Made::* at) {
  std::erase_if(all,
                [&](const Made& one) { return one.*at < span.since || one.*at >= span.until; });
  return all;
}

int shadow(const Session& session, const ShadowOptions& options) {
  const auto span = span_from(options.span);
  if (!span) return fail_with(session, span.error());
  const auto live = config::load(session.config);
  if (!live) {
    for (const Error& fault : live.error()) session.terminal.complain(fault.text());
    return kFailed;
  }
  const auto reader = store::Reader::open(live->store);
  if (!reader) return fail_with(session, reader.error());
  auto shadow = (*reader)->shadow_decisions(kMostShadow);
  if (!shadow) return fail_with(session, shadow.error());
  auto decisions = (*reader)->decisions();
  if (!decisions) return fail_with(session, decisions.error());
  auto verdicts = stored_verdicts(**reader, live->decide.join);
  if (!verdicts) return fail_with(session, verdicts.error());
  investigate::Recorded recorded(within(std::move(*shadow), *span, &ShadowDecision::at),
                                 within(std::move(*decisions), *span, &Decision::from),
                                 std::move(*verdicts), live->decide.join);
  const auto run =
      read_stored(session, **reader, *span, [&](const Event& event) { recorded.on(event); });
  if (!run) return fail_with(session, run.error());
  return show(session, recorded.report(), *run, options.limit);
}

void add_shadow(CLI::App& line, Session& session) {
  const auto options = std::make_shared<ShadowOptions>();
  add_span(line, options->span);
  line.add_option("--limit", options->limit, "Show at most so many hits of each side")
      ->check(CLI::Range(0, 10000))
      ->capture_default_str();
  line.footer("Reads the store beside the daemon. The list alone: watchpost decisions --shadow");
  line.callback([&session, options] {
    session.action = [&session, options] { return shadow(session, *options); };
  });
}

}  // namespace

constexpr Command kShadow{
    "shadow", "What shadow detectors would have done, beside what was in force", add_shadow};

}  // namespace watchpost::cli
