#include "base/text.h"
#include "cli/answer.h"
#include "cli/feedback_desk.h"
#include "cli/new_file.h"
#include "crypto/base64.h"

#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

constexpr size_t kLinesShown = 200;

struct UnreadOptions {
  uint64_t number = 0;  // 0: the list
  std::string file;
  size_t limit = 50;
};

// The mail as it came.
std::string bytes_of(const Object& mail) {
  return crypto::from_base64(text(mail, "bytes")).value_or("");
}

void print_list(const Session& session, const Object& answer) {
  const Time now = SystemClock().now();
  Table table({"NUMBER", "CAME", "SOURCE", "REPORTER", "FROM", "WHY"});
  for (const auto& one : list(answer, "unread")) {
    const Object& mail = one.as_object();
    table.row({{std::to_string(count(mail, "number")), Colour::bold},
               {age(mail, "at", now)},
               {text(mail, "source")},
               {text(mail, "reporter"), Colour::yellow},
               {text(mail, "sender")},
               {text(mail, "why")}});
  }
  table.print(session.terminal, "All mail was understood.");
  print_removed_mail(session.terminal, answer);
}

void print_one(const Session& session, const Object& answer) {
  const Terminal& terminal = session.terminal;
  const Object& mail = inside(answer, "mail");
  const std::string bytes = bytes_of(mail);
  terminal.line(fmt::format(
      "{} came {} at {}, {}", terminal.paint(std::to_string(count(mail, "number")), Colour::bold),
      moment(mail, "at"), escaped(text(mail, "source")), bytes_text(bytes.size())));
  terminal.line("why   " + terminal.paint(text(mail, "why"), Colour::yellow));
  terminal.line("from  " + escaped(text(mail, "sender")));
  for (const auto& one : list(mail, "recipients")) {
    if (one.is_string()) terminal.line("to    " + escaped(std::string_view(one.as_string())));
  }
  terminal.line();
  size_t lines = 0;
  for (std::string_view line : split(bytes, '\n')) {
    if (++lines > kLinesShown) {
      terminal.line(fmt::format("... the whole of it: watchpost feedback unread {} --export FILE",
                                count(mail, "number")));
      break;
    }
    if (line.ends_with('\r')) line.remove_suffix(1);
    terminal.line(escaped(line));
  }
}

int export_one(const Session& session, const UnreadOptions& options) {
  const auto answer =
      object_from(get(session.daemon, fmt::format("/v1/feedback/unread/{}", options.number)));
  if (!answer) return fail_with(session, answer.error());
  const std::string bytes = bytes_of(inside(*answer, "mail"));
  const auto written = write_new(options.file, bytes);
  if (!written) return fail_with(session, written.error());
  if (!session.json()) {
    session.terminal.line(
        fmt::format("{} written to {}", bytes_text(bytes.size()), escaped(options.file)));
  }
  return kOk;
}

int unread(const Session& session, const UnreadOptions& options) {
  if (!options.file.empty() && options.number == 0) {
    return fail_with(session, {Code::bad_input, "which mail? Give its NUMBER", "--export"});
  }
  if (!options.file.empty()) return export_one(session, options);
  if (options.number != 0) {
    return show(session, get(session.daemon, fmt::format("/v1/feedback/unread/{}", options.number)),
                [&](const Object& answer) { print_one(session, answer); });
  }
  return show(
      session,
      get(session.daemon, "/v1/feedback/unread", {{"limit", std::to_string(options.limit)}}),
      [&](const Object& answer) { print_list(session, answer); });
}

}  // namespace

void add_feedback_unread(CLI::App& line, Session& session) {
  const auto options = std::make_shared<UnreadOptions>();
  CLI::App* const sub = line.add_subcommand(
      "unread", "Mail that came as feedback and was not understood: all, one, or one as a file");
  sub->fallthrough();
  sub->add_option("number", options->number, "Show this one")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1} << 53));
  sub->add_option("--export", options->file, "Write it as it came to this new file");
  sub->add_option("--limit", options->limit, "At most so many")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  sub->footer("Example: watchpost feedback unread 3 --export report.eml");
  sub->callback([&session, options] {
    session.action = [&session, options] { return unread(session, *options); };
  });
}

}  // namespace watchpost::cli
