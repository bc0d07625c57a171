#include "cli/stored_events.h"

#include "cli/answer.h"
#include "cli/interrupt.h"
#include "cli/trial_report.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

constexpr uint64_t kProgressEvents = 1 << 14;  // between two lines of progress

// "14d", back from now, or a time.
Result<Time> time_from(const std::string& text, Time now) {
  if (const auto at = parse_time(text)) return *at;
  const auto back = parse_duration(text);
  if (!back) {
    return fail(Code::bad_input, "neither a span back from now (14d) nor a time (RFC 3339)", text);
  }
  return now - *back;
}

std::string to_the_second(Time at) {
  return format_time(std::chrono::floor<std::chrono::seconds>(at));
}

void print_all(const Terminal& terminal, const investigate::BacktestReport& report,
               const StoredRun& run, size_t limit) {
  print(terminal, report, limit);
  terminal.line();
  if (report.events == 0) {
    terminal.line("No events are stored of that time.");
    return;
  }
  const double rate = static_cast<double>(report.events) / std::max(run.seconds, 1e-6);
  terminal.line(fmt::format("{} from {} to {} in {:.2f} s ({} events/s)",
                            counted(report.events, "event"), to_the_second(*report.first_at),
                            to_the_second(*report.last_at), run.seconds,
                            grouped(static_cast<uint64_t>(rate))));
}

}  // namespace

void add_span(CLI::App& line, SpanOptions& options) {
  line.add_option("--since", options.since,
                  "From then on: 14d (back from now) or a time (RFC 3339)")
      ->capture_default_str();
  line.add_option("--until", options.until, "Up to then: 1d or a time; default: now");
}

Result<Span> span_from(const SpanOptions& options) {
  const Time now = SystemClock().now();
  const auto since = time_from(options.since, now);
  if (!since) return fail(since.error());
  if (options.until.empty()) return Span{*since, now};
  const auto until = time_from(options.until, now);
  if (!until) return fail(until.error());
  if (*until <= *since) return fail(Code::bad_input, "it ends before it begins", options.until);
  return Span{*since, *until};
}

Result<investigate::Verdicts> stored_verdicts(store::Reader& reader, Duration join) {
  const auto incidents = reader.incidents();
  if (!incidents) return fail(incidents.error());
  const auto decisions = reader.decisions();
  if (!decisions) return fail(decisions.error());
  return investigate::Verdicts(investigate::judged_streams(*incidents, *decisions), join, false);
}

Result<StoredRun> read_stored(const Session& session, store::Reader& reader, const Span& span,
                              const std::function<void(const Event&)>& each) {
  using Seconds = std::chrono::duration<double>;
  StoredRun run;
  uint64_t events = 0;
  const Interrupt interrupt;
  const auto began = std::chrono::steady_clock::now();
  const auto done = reader.events_between(span.since, span.until, [&](const Event& event) {
    each(event);
    if (++events % kProgressEvents == 0) {
      session.terminal.progress(
          Seconds(event.at - span.since) / Seconds(span.until - span.since),
          fmt::format("{}: {} events", to_the_second(event.at), grouped(events)));
    }
    run.interrupted = interrupt.asked();
    return !run.interrupted;
  });
  session.terminal.progress_done();
  run.seconds = Seconds(std::chrono::steady_clock::now() - began).count();
  if (!done) return fail(done.error());
  return run;
}

int show(const Session& session, const investigate::BacktestReport& report, const StoredRun& run,
         size_t limit) {
  if (session.json()) {
    Object all{
        {"events", report.events}, {"seconds", run.seconds}, {"interrupted", run.interrupted}};
    for (auto& [key, value] : json_of(report)) all[key] = std::move(value);
    session.terminal.json(boost::json::serialize(all));
  } else {
    print_all(session.terminal, report, run, limit);
  }
  if (!run.interrupted) return kOk;
  session.terminal.complain(fmt::format("stopped before the end: this is of {}, up to {}",
                                        counted(report.events, "event"),
                                        report.last_at ? format_time(*report.last_at) : "nothing"));
  return kFailed;
}

}  // namespace watchpost::cli
