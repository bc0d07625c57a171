#include "investigate/replay.h"

#include "base/text.h"
#include "cli/command.h"
#include "config/configuration.h"
#include "feedback/classifier.h"
#include "feedback/mapping.h"
#include "ingest/source.h"

#include <memory>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

using investigate::ReplayReport;

struct ReplayOptions {
  std::string source = "postfix_log";
  std::vector<std::string> files;
};

std::string json_of(const ReplayReport& report) {
  boost::json::array signals;
  for (const Signal& signal : report.signals) {
    boost::json::object one{{"at", format_time(signal.at)},   {"detector", signal.detector},
                            {"stream", signal.stream.text()}, {"value", signal.value},
                            {"threshold", signal.threshold},  {"messages", signal.messages},
                            {"mode", name_of(signal.mode)},   {"because", signal.because}};
    signals.push_back(std::move(one));
  }
  boost::json::object unread;
  for (const auto& [reason, entry] : report.unread) unread[reason] = entry.count;
  return boost::json::serialize(boost::json::object{{"lines", report.lines},
                                                    {"events", report.events},
                                                    {"seconds", report.seconds},
                                                    {"signals", std::move(signals)},
                                                    {"signals_total", report.signals_total},
                                                    {"unread", std::move(unread)},
                                                    {"late", report.watch.late},
                                                    {"evicted", report.watch.evicted}});
}

void print(const Terminal& terminal, const ReplayReport& report) {
  Table table({"AT", "DETECTOR", "MODE", "STREAM", "AFTER", "BECAUSE"});
  for (const Signal& signal : report.signals) {
    table.row({{format_time(std::chrono::floor<std::chrono::seconds>(signal.at))},
               {signal.detector, Colour::bold},
               {std::string(name_of(signal.mode))},
               {signal.stream.text(), Colour::yellow},
               {counted(signal.messages, "message")},
               {signal.because}});
  }
  table.print(terminal, "No detector would have fired.");
  terminal.line();
  terminal.line(fmt::format("{} lines, {} events in {:.2f} s ({} lines/s); {}",
                            grouped(report.lines), grouped(report.events), report.seconds,
                            grouped(static_cast<uint64_t>(static_cast<double>(report.lines) /
                                                          std::max(report.seconds, 1e-6))),
                            counted(report.signals_total, "signal")));
  for (const auto& [reason, entry] : report.unread) {
    terminal.line(fmt::format("not read: {} lines, {}{}", grouped(entry.count), reason,
                              entry.samples.empty()
                                  ? std::string()
                                  : ", for example: " + escaped(entry.samples.front(), 120)));
  }
}

// The rules to judge replies by: the user's file, or the ones that ship.
Result<feedback::Classifier> user_classifier(const std::string& path) {
  const auto text = config::file_text(path);
  if (!text) return fail(text.error());
  return feedback::Classifier::from_toml(*text, path);
}

int replay(const Session& session, const ReplayOptions& options) {
  const auto refuse = [&](const Error& error, ExitCode code) {
    session.terminal.complain(error.text());
    return code;
  };
  const ingest::SourceKind* const kind = ingest::source_kind(options.source);
  auto configuration = config::load(session.config);
  if (!configuration) {
    for (const Error& fault : configuration.error()) session.terminal.complain(fault.text());
    return kFailed;
  }
  std::optional<feedback::Classifier> own;
  if (!configuration->events.reply_classes.empty()) {
    auto read = user_classifier(configuration->events.reply_classes);
    if (!read) return refuse(read.error(), kFailed);
    own.emplace(std::move(*read));
  }
  const auto mapping = feedback::Mapping::from(configuration->maps);
  if (!mapping) return refuse(mapping.error(), kFailed);
  const SystemClock clock;
  const ingest::SourceContext context{own ? *own : feedback::Classifier::shipped(), *mapping,
                                      clock};
  const auto report = investigate::replay(
      {*kind, context, options.files, std::move(configuration->rules), configuration->limits},
      [&](const std::string& file, double share, const ReplayReport& so_far) {
        session.terminal.progress(
            share, fmt::format("{}: {} lines, {} signals", file, grouped(so_far.lines),
                               grouped(so_far.signals_total)));
      });
  session.terminal.progress_done();
  if (!report) return refuse(report.error(), kFailed);
  if (session.json()) {
    session.terminal.json(json_of(*report));
  } else {
    print(session.terminal, *report);
  }
  return kOk;
}

void add_replay(CLI::App& line, Session& session) {
  const auto options = std::make_shared<ReplayOptions>();
  std::vector<std::string> kinds;
  for (const auto* const kind : ingest::source_kinds()) kinds.emplace_back(kind->name);
  line.add_option("--source", options->source, "Format of the files: a kind of source")
      ->check(CLI::IsMember(kinds))
      ->capture_default_str();
  line.add_option("files", options->files,
                  "Files in the order of their time, plain, gzip or zstd; - is standard input")
      ->required();
  line.callback([&session, options] {
    session.action = [&session, options] { return replay(session, *options); };
  });
}

}  // namespace

constexpr Command kReplay{"replay", "Run files through the detectors; nothing is enforced",
                          add_replay};

}  // namespace watchpost::cli
