#pragma once
#include "base/result.h"
#include "base/time.h"
#include "cli/command.h"
#include "investigate/backtest_report.h"
#include "investigate/verdicts.h"
#include "model/event.h"
#include "store/store.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

// What `backtest` and `shadow` share: they read the store beside the daemon.
namespace watchpost::cli {

struct SpanOptions {
  std::string since = "14d";
  std::string until;
};
void add_span(CLI::App& line, SpanOptions& options);

struct Span {
  Time since;
  Time until;
};
// Errors: bad_input.
Result<Span> span_from(const SpanOptions& options);

// What people have said of incidents.
Result<investigate::Verdicts> stored_verdicts(store::Reader& reader, Duration join);

struct StoredRun {
  double seconds = 0;
  bool interrupted = false;
};
// All events of the span, in order, with a progress bar; Ctrl-C ends it.
Result<StoredRun> read_stored(const Session& session, store::Reader& reader, const Span& span,
                              const std::function<void(const Event&)>& each);

// Prints it, and says where it is not the whole. Gives the exit code.
int show(const Session& session, const investigate::BacktestReport& report, const StoredRun& run,
         size_t limit);

}  // namespace watchpost::cli
