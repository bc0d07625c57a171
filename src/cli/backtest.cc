#include "investigate/backtest.h"

#include "cli/answer.h"
#include "cli/command.h"
#include "cli/stored_events.h"
#include "config/configuration.h"
#include "store/store.h"

#include <memory>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

namespace watchpost::cli {
namespace {

using investigate::Backtest;
using investigate::RuleSet;

struct BacktestOptions {
  std::string draft;
  SpanOptions span;
  bool as_written = false;
  size_t limit = 20;
};

std::vector<RuleSet> rule_sets(config::Configuration draft, config::Configuration live,
                               bool as_written) {
  std::vector<RuleSet> sets;
  sets.push_back({"draft", std::move(draft.rules), draft.limits, draft.decide, !as_written});
  sets.push_back({"live", std::move(live.rules), live.limits, live.decide, false});
  return sets;
}

int backtest(const Session& session, const BacktestOptions& options) {
  const auto span = span_from(options.span);
  if (!span) return fail_with(session, span.error());
  auto live = config::load(session.config);
  if (!live) return fail_with(session, live.error());
  auto draft = config::load_draft(options.draft, *live);
  if (!draft) return fail_with(session, draft.error());
  const auto reader = store::Reader::open(live->store);
  if (!reader) return fail_with(session, reader.error());
  auto verdicts = stored_verdicts(**reader, live->decide.join);
  if (!verdicts) return fail_with(session, verdicts.error());
  Backtest backtest(rule_sets(std::move(*draft), std::move(*live), options.as_written),
                    std::move(*verdicts));
  const auto run =
      read_stored(session, **reader, *span, [&](const Event& event) { backtest.on(event); });
  if (!run) return fail_with(session, run.error());
  return show(session, backtest.report(), *run, options.limit);
}

void add_backtest(CLI::App& line, Session& session) {
  const auto options = std::make_shared<BacktestOptions>();
  line.add_option("draft", options->draft,
                  "File with [[detector]] tables and, where wanted, [decide]")
      ->required();
  add_span(line, options->span);
  line.add_flag("--as-written", options->as_written,
                "Try the draft in the modes it has; default: as if all of it were set to enforce");
  line.add_option("--limit", options->limit, "Show at most so many hits of each rule set")
      ->check(CLI::Range(0, 10000))
      ->capture_default_str();
  line.footer("Reads the stored events beside the daemon, which does not notice.");
  line.callback([&session, options] {
    session.action = [&session, options] { return backtest(session, *options); };
  });
}

}  // namespace

constexpr Command kBacktest{
    "backtest", "Try detectors on the stored events, beside the ones in force", add_backtest};

}  // namespace watchpost::cli
