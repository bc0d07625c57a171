#include "base/text.h"
#include "cli/answer.h"
#include "cli/feedback_desk.h"

#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

// "token 12, verp 3, not found 1".
std::string ways(const Object& row) {
  std::string out = counts_text(inside(row, "attributed"));
  if (const uint64_t lost = count(row, "unattributed"); lost > 0) {
    out += fmt::format("{}not found {}", out.empty() ? "" : ", ", grouped(lost));
  }
  return out;
}

void add_row(Table& table, const Object& row, const std::string& name, Time now) {
  table.row({{name, Colour::bold},
             {grouped(count(row, "received"))},
             {grouped(count(row, "proven"))},
             {grouped(count(row, "unread"))},
             {age(row, "last_at", now)},
             {ways(row)},
             {counts_text(inside(row, "refused")), Colour::yellow}});
}

void print_rows(const Terminal& terminal, const Object& answer, std::string_view key,
                const std::string& heading) {
  const Time now = SystemClock().now();
  Table table({heading, "RECEIVED", "PROVEN", "UNREAD", "LAST", "FOUND BY", "REFUSED"});
  for (const auto& one : list(answer, key)) {
    const std::string name = text(one.as_object(), "name");
    add_row(table, one.as_object(), name.empty() ? "(not told)" : name, now);
  }
  if (key == "reporters" && !inside(answer, "other_reporters").empty()) {
    add_row(table, inside(answer, "other_reporters"), "(others)", now);
  }
  table.print(terminal, "");
}

void print(const Session& session, const Object& answer) {
  const Terminal& terminal = session.terminal;
  const Object& total = inside(answer, "total");
  if (list(answer, "reporters").empty()) {
    terminal.line(fmt::format("No feedback since {}.", moment(answer, "since")));
    return print_removed_mail(terminal, answer);
  }
  terminal.line(fmt::format(
      "Since {}: {} complained, {} taken back, {} unsubscribed, {} bounced; {} not understood",
      moment(answer, "since"), grouped(count(total, "complained")),
      grouped(count(total, "withdrawn")), grouped(count(total, "unsubscribed")),
      grouped(count(total, "bounced")), grouped(count(total, "unread"))));
  terminal.line();
  print_rows(terminal, answer, "reporters", "REPORTER");
  terminal.line();
  print_rows(terminal, answer, "sources", "SOURCE");
  if (count(total, "unread") > 0) {
    terminal.line("\nWhat was not understood: watchpost feedback unread");
  }
  print_removed_mail(terminal, answer);
  if (!flag(answer, "complete")) {
    terminal.line("Not all: there was no time to read everything; ask for less with --since.");
  }
}

}  // namespace

void print_removed_mail(const Terminal& terminal, const Object& answer) {
  const Object& removed = inside(answer, "removed");
  if (count(removed, "mails") == 0) return;
  terminal.line(
      fmt::format("{} older ones that were not understood went for want of room since {}, unseen.",
                  grouped(count(removed, "mails")), moment(removed, "since")));
}

void add_feedback_status(CLI::App& line, Session& session) {
  const auto since = std::make_shared<std::string>();
  CLI::App* const sub = line.add_subcommand(
      "status", "Who sent feedback, how its mail was found, what proved itself and what did not");
  sub->fallthrough();
  sub->add_option("--since", *since,
                  "From then on: 2d (back from now) or a time (RFC 3339); default 7d");
  sub->callback([&session, since] {
    session.action = [&session, since] {
      return show(session, get(session.daemon, "/v1/feedback", {{"since", *since}}),
                  [&](const Object& answer) { print(session, answer); });
    };
  });
}

}  // namespace watchpost::cli
