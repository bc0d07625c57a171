#include "base/text.h"
#include "cli/answer.h"
#include "cli/command.h"
#include "cli/configured_rules.h"
#include "cli/interrupt.h"
#include "feedback/formats/event_json.h"
#include "ingest/source.h"
#include "investigate/replay.h"

#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

using investigate::FileCount;

struct LogOptions {
  std::string source = "postfix_log";
  std::vector<std::string> files;
};

// One event as a person reads it, fields that it does not have left out.
std::string block(const Terminal& terminal, const Event& event) {
  const bool bad = event.kind == EventKind::bounced || event.kind == EventKind::expired ||
                   event.kind == EventKind::rejected;
  std::string out =
      fmt::format("{}  {}", format_time(std::chrono::floor<std::chrono::seconds>(event.at)),
                  terminal.paint(name_of(event.kind), bad ? Colour::red : Colour::bold));
  if (event.reply_code != 0) out += fmt::format("  {}", event.reply_code);
  for (const FieldInfo& info : fields()) {
    // Whoever asks knows which file it is.
    if (info.field == Field::source || event[info.field].empty()) continue;
    out += fmt::format("\n    {:<18} {}", info.name, escaped(event[info.field]));
  }
  return out;
}

// On standard error, so that what stands on standard output is events only.
void say_what_was_read(const Terminal& terminal, const FileCount& read) {
  terminal.complain(
      fmt::format("{}, {}", counted(read.lines, "line"), counted(read.events, "event")));
  for (const auto& [reason, entry] : read.unread) {
    terminal.complain(fmt::format("not read: {}, {}{}", counted(entry.count, "line"), reason,
                                  entry.samples.empty()
                                      ? std::string()
                                      : ", for example: " + escaped(entry.samples.front(), 120)));
  }
}

int parse(const Session& session, const LogOptions& options) {
  const auto rules = ConfiguredRules::of(session);
  if (!rules) return fail_with(session, rules.error());
  const SystemClock clock;
  const ingest::SourceContext context{rules->classifier(), rules->mapping(), clock};
  const Terminal& terminal = session.terminal;
  const Interrupt interrupt;
  const auto read = investigate::read_files(
      {*ingest::source_kind(options.source), context, options.files},
      [&](std::span<const Event> events) {
        terminal.progress_done();
        for (const Event& event : events) {
          if (session.json()) {
            terminal.json(feedback::to_json(event));
          } else {
            terminal.line(block(terminal, event));
          }
        }
      },
      [&](const std::string& file, double share, const FileCount& so_far) {
        terminal.progress(share, fmt::format("{}: {} lines", file, grouped(so_far.lines)));
        return !interrupt.asked();
      });
  terminal.progress_done();
  if (!read) {
    terminal.complain(read.error().text());
    return kFailed;
  }
  say_what_was_read(terminal, *read);
  return read->stopped ? kFailed : kOk;
}

void add_log(CLI::App& line, Session& session) {
  const auto options = std::make_shared<LogOptions>();
  std::vector<std::string> kinds;
  for (const auto* const kind : ingest::source_kinds()) {
    if (kind->reader != nullptr) kinds.emplace_back(kind->name);
  }
  line.require_subcommand(1);
  CLI::App* const sub = line.add_subcommand("parse", "Print the events that the lines of logs are");
  sub->fallthrough();
  sub->add_option("--source", options->source, "Format of the files: a kind of source")
      ->check(CLI::IsMember(kinds))
      ->capture_default_str();
  sub->add_option("files", options->files,
                  "Files in the order of their time, plain, gzip or zstd; - is standard input")
      ->required();
  sub->footer(
      "With -o json: Watchpost's own event format, one event a line. Example: watchpost "
      "log parse /var/log/mail.log -o json");
  sub->callback([&session, options] {
    session.action = [&session, options] { return parse(session, *options); };
  });
}

}  // namespace

constexpr Command kLog{"log", "What Watchpost makes of the lines of a log", add_log};

}  // namespace watchpost::cli
