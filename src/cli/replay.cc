#include "investigate/replay.h"

#include "base/text.h"
#include "cli/answer.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/trial_report.h"
#include "config/configuration.h"
#include "feedback/classifier.h"
#include "feedback/mapping.h"
#include "ingest/source.h"
#include "investigate/backtest.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

using investigate::BacktestReport;
using investigate::FileCount;
using investigate::ReplayReport;
using investigate::RuleSet;

struct ReplayOptions {
  std::string source = "postfix_log";
  std::vector<std::string> files;
  std::vector<std::string> rules;
  std::string truth;
  bool as_written = false;
  std::optional<size_t> limit;
};
constexpr size_t kHitsShown = 20;

Object json_of(const FileCount& read) {
  Object unread;
  for (const auto& [reason, entry] : read.unread) unread[reason] = entry.count;
  return {{"lines", read.lines},
          {"events", read.events},
          {"seconds", read.seconds},
          {"interrupted", read.stopped},
          {"unread", std::move(unread)}};
}

std::string json_of(const ReplayReport& report) {
  boost::json::array signals;
  for (const Signal& signal : report.signals) {
    Object one{{"at", format_time(signal.at)},   {"detector", signal.detector},
               {"stream", signal.stream.text()}, {"value", signal.value},
               {"threshold", signal.threshold},  {"messages", signal.messages},
               {"mode", name_of(signal.mode)},   {"because", signal.because}};
    signals.push_back(std::move(one));
  }
  Object all = json_of(report.read);
  all["signals"] = std::move(signals);
  all["signals_total"] = report.signals_total;
  all["late"] = report.watch.late;
  all["evicted"] = report.watch.evicted;
  return boost::json::serialize(all);
}

std::string json_of(const FileCount& read, const BacktestReport& report) {
  Object all = json_of(read);
  for (auto& [key, value] : cli::json_of(report)) all[key] = std::move(value);
  return boost::json::serialize(all);
}

void print(const Terminal& terminal, const FileCount& read, std::string_view more) {
  terminal.line();
  terminal.line(fmt::format("{} lines, {} events in {:.2f} s ({} lines/s){}", grouped(read.lines),
                            grouped(read.events), read.seconds,
                            grouped(static_cast<uint64_t>(static_cast<double>(read.lines) /
                                                          std::max(read.seconds, 1e-6))),
                            more));
  for (const auto& [reason, entry] : read.unread) {
    terminal.line(fmt::format("not read: {} lines, {}{}", grouped(entry.count), reason,
                              entry.samples.empty()
                                  ? std::string()
                                  : ", for example: " + escaped(entry.samples.front(), 120)));
  }
}

void print(const Terminal& terminal, const ReplayReport& report, size_t limit) {
  Table table({"AT", "DETECTOR", "MODE", "STREAM", "AFTER", "BECAUSE"});
  const size_t shown = std::min(limit, report.signals.size());
  for (const Signal& signal : std::span(report.signals).first(shown)) {
    table.row({{format_time(std::chrono::floor<std::chrono::seconds>(signal.at))},
               {signal.detector, Colour::bold},
               {std::string(name_of(signal.mode))},
               {signal.stream.text(), Colour::yellow},
               {counted(signal.messages, "message")},
               {signal.because}});
  }
  table.print(terminal, report.signals.empty() ? "No detector would have fired." : "");
  if (shown < report.signals_total) {
    terminal.line(fmt::format("... and {} more", grouped(report.signals_total - shown)));
  }
  print(terminal, report.read, "; " + counted(report.signals_total, "signal"));
}

// The rules to judge replies by: the user's file, or the ones that ship.
Result<feedback::Classifier> user_classifier(const std::string& path) {
  const auto text = config::file_text(path);
  if (!text) return fail(text.error());
  return feedback::Classifier::from_toml(*text, path);
}

int complain(const Session& session, const Error& error) {
  session.terminal.complain(error.text());
  return kFailed;
}

// What --rules and --truth ask for.
struct Tried {
  std::vector<RuleSet> sets;  // none: the rules of the configuration
  investigate::Verdicts verdicts;
  bool judged = false;
};

std::expected<Tried, config::Faults> tried_from(const ReplayOptions& options,
                                                config::Configuration& live) {
  Tried tried;
  for (const std::string& path : options.rules) {
    auto draft = config::load_draft(path, live);
    if (!draft) return std::unexpected(std::move(draft.error()));
    tried.sets.push_back({std::filesystem::path(path).filename().string(), std::move(draft->rules),
                          draft->limits, draft->decide, !options.as_written});
  }
  if (tried.sets.empty()) {
    tried.sets.push_back(
        {"rules", std::move(live.rules), live.limits, live.decide, !options.as_written});
  }
  if (tried.sets.size() == 2 && tried.sets[0].name == tried.sets[1].name) {
    for (size_t i = 0; i < 2; ++i) tried.sets[i].name = options.rules[i];
  }
  if (options.truth.empty()) return tried;
  const auto text = config::file_text(options.truth);
  if (!text) return std::unexpected(config::Faults{text.error()});
  auto truth = investigate::truth_from(*text);
  if (!truth) {
    Error fault = truth.error();
    fault.about = fault.about.empty() ? options.truth : options.truth + ": " + fault.about;
    return std::unexpected(config::Faults{std::move(fault)});
  }
  tried.judged = true;
  tried.verdicts = investigate::Verdicts(std::move(*truth), Duration{0}, true);
  return tried;
}

Result<ReplayReport> replayed(const Session& session, const investigate::FileRequest& files,
                              RuleSet rules, const Interrupt& interrupt) {
  auto report = investigate::replay(
      {files, std::move(rules.detectors), rules.limits},
      [&](const std::string& file, double share, const FileCount& so_far) {
        session.terminal.progress(share, fmt::format("{}: {} lines", file, grouped(so_far.lines)));
        return !interrupt.asked();
      });
  session.terminal.progress_done();
  return report;
}

struct Trials {
  FileCount read;
  BacktestReport report;
};

Result<Trials> trials_over(const Session& session, const investigate::FileRequest& files,
                           Tried tried, const Interrupt& interrupt) {
  investigate::Backtest backtest(std::move(tried.sets), std::move(tried.verdicts));
  auto read = investigate::read_files(
      files,
      [&](std::span<const Event> events) {
        for (const Event& event : events) backtest.on(event);
      },
      [&](const std::string& file, double share, const FileCount& so_far) {
        session.terminal.progress(share, fmt::format("{}: {} lines", file, grouped(so_far.lines)));
        return !interrupt.asked();
      });
  session.terminal.progress_done();
  if (!read) return fail(read.error());
  return Trials{std::move(*read), backtest.report()};
}

// Ctrl-C: what there is so far was printed, and this says that it is not all.
int ended(const Session& session, const investigate::FileRequest& files, const FileCount& read) {
  if (read.nothing_read()) {
    session.terminal.complain(
        fmt::format("none of the {} could be read as {}: is --source the format of the file?",
                    counted(read.lines, "line"), files.kind.name));
    return kFailed;
  }
  if (!read.stopped) return kOk;
  session.terminal.complain(
      fmt::format("stopped before the end: this is of the first {} lines", grouped(read.lines)));
  return kFailed;
}

int run(const Session& session, const ReplayOptions& options, investigate::FileRequest files,
        Tried tried) {
  const Interrupt interrupt;
  files.enough = [&] { return interrupt.asked(); };
  if (tried.sets.size() == 1 && !tried.judged) {
    const auto report = replayed(session, files, std::move(tried.sets.front()), interrupt);
    if (!report) return complain(session, report.error());
    if (session.json()) {
      session.terminal.json(json_of(*report));
    } else {
      print(session.terminal, *report, options.limit.value_or(report->signals.size()));
    }
    return ended(session, files, report->read);
  }
  const auto trials = trials_over(session, files, std::move(tried), interrupt);
  if (!trials) return complain(session, trials.error());
  if (session.json()) {
    session.terminal.json(json_of(trials->read, trials->report));
  } else {
    cli::print(session.terminal, trials->report, options.limit.value_or(kHitsShown));
    print(session.terminal, trials->read, "");
  }
  return ended(session, files, trials->read);
}

int replay(const Session& session, const ReplayOptions& options) {
  if (options.rules.size() > 2) {
    session.terminal.complain("at most two --rules can be compared");
    return kUsage;
  }
  const ingest::SourceKind* const kind = ingest::source_kind(options.source);
  auto configuration = config::load(session.config);
  if (!configuration) return fail_with(session, configuration.error());
  std::optional<feedback::Classifier> own;
  if (!configuration->events.reply_classes.empty()) {
    auto read = user_classifier(configuration->events.reply_classes);
    if (!read) return fail_with(session, config::Faults{read.error()});
    own.emplace(std::move(*read));
  }
  auto countries = feedback::Countries::from(configuration->geo);
  if (!countries) return fail_with(session, config::Faults{countries.error()});
  const auto mapping = feedback::Mapping::from(configuration->maps, std::move(*countries));
  if (!mapping) return fail_with(session, config::Faults{mapping.error()});
  auto tried = tried_from(options, *configuration);
  if (!tried) return fail_with(session, tried.error());
  const SystemClock clock;
  const ingest::SourceContext context{own ? *own : feedback::Classifier::shipped(), *mapping,
                                      clock};
  return run(session, options, {*kind, context, options.files}, std::move(*tried));
}

void add_replay(CLI::App& line, Session& session) {
  const auto options = std::make_shared<ReplayOptions>();
  std::vector<std::string> kinds;
  for (const auto* const kind : ingest::source_kinds()) {
    if (kind->reader != nullptr) kinds.emplace_back(kind->name);
  }
  line.add_option("--source", options->source, "Format of the files: a kind of source")
      ->check(CLI::IsMember(kinds))
      ->capture_default_str();
  line.add_option("files", options->files,
                  "Files in the order of their time, plain, gzip or zstd; - is standard input")
      ->required();
  line.add_option("--rules", options->rules,
                  "File with [[detector]] tables to use instead of the configuration's; a second "
                  "one is tried beside the first, in one pass")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->check(CLI::ExistingFile);
  line.add_option("--truth", options->truth,
                  "File that says which streams were bad and when: counts what is stopped rightly "
                  "and wrongly");
  line.add_flag("--as-written", options->as_written,
                "With two --rules or --truth: detectors keep their modes; default: as if all were "
                "set to enforce");
  line.add_option("--limit", options->limit,
                  "Show at most so many signals (default: all), or hits of each rule set (default: "
                  "20)")
      ->check(CLI::Range(0, 10000));
  line.callback([&session, options] {
    session.action = [&session, options] { return replay(session, *options); };
  });
}

}  // namespace

constexpr Command kReplay{"replay", "Run files through the detectors; nothing is enforced",
                          add_replay};

}  // namespace watchpost::cli
