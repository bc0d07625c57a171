#include "cli/quarantine_text.h"

#include "base/text.h"
#include "cli/verdict_text.h"

#include <map>
#include <utility>

#include <fmt/format.h>

namespace watchpost::cli {
namespace {

constexpr size_t kLongestLine = 500;

// "held"; "2 held, 1 released".
std::string states_of(const Object& held) {
  std::map<std::string, size_t> states;
  for (const auto& one : list(held, "copies")) {
    if (one.is_object()) ++states[text(one.as_object(), "state")];
  }
  if (states.size() == 1) return states.begin()->first;
  std::string out;
  for (const auto& [state, copies] : states) {
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", copies, state);
  }
  return out;
}

bool is_requested(const Object& held) {
  for (const auto& one : list(held, "copies")) {
    if (!one.is_object()) continue;
    if (!text(one.as_object(), "requested_at").empty() &&
        text(one.as_object(), "state") == "held") {
      return true;
    }
  }
  return false;
}

// "kim@us.example and 2 more"
std::string recipients_of(const Object& held) {
  const auto& copies = list(held, "copies");
  if (copies.empty() || !copies[0].is_object()) return "";
  std::string out = text(copies[0].as_object(), "recipient");
  if (copies.size() > 1) out += fmt::format(" and {} more", copies.size() - 1);
  return out;
}

std::string from_of(const Object& held) {
  const std::string author = text(held, "author");
  return author.empty() ? text(held, "sender") : author;
}

class Lines {
 public:
  explicit Lines(const Terminal& terminal) : terminal_(terminal) {}
  void row(std::string_view name, const std::string& value, Colour colour = Colour::none) {
    if (value.empty()) return;
    made_.push_back(fmt::format("{:<11} {}", name, terminal_.paint(value, colour)));
  }
  void heading(const std::string& words) {
    made_.emplace_back();
    made_.push_back(terminal_.paint(words, Colour::bold));
  }
  void line(std::string_view hostile) { made_.push_back(escaped(hostile, kLongestLine)); }
  std::vector<std::string> take() { return std::move(made_); }
  void add(const std::vector<std::string>& lines) {
    made_.insert(made_.end(), lines.begin(), lines.end());
  }

 private:
  const Terminal& terminal_;
  std::vector<std::string> made_;
};

std::string copy_text(const Object& copy) {
  std::string out = fmt::format("{}: {}", text(copy, "recipient"), text(copy, "state"));
  if (const std::string at = moment(copy, "release_at"); !at.empty()) {
    out += fmt::format(" at {}{}", at, flag(copy, "paced") ? ", step by step" : "");
  }
  if (const std::string by = text(copy, "by"); !by.empty()) out += ", by " + by;
  if (const std::string at = moment(copy, "requested_at"); !at.empty()) {
    out += ", asked for " + at;
  }
  if (const std::string note = text(copy, "note"); !note.empty()) out += ": " + note;
  return out;
}

std::string part_text(const Object& part) {
  std::string out(2 * std::min<uint64_t>(count(part, "depth"), 20), ' ');
  out += text(part, "type");
  if (flag(part, "attached")) out += ", attached";
  if (const std::string name = text(part, "name"); !name.empty()) {
    out += fmt::format(", `{}`", name);
  }
  const std::string hash = text(part, "sha256");
  if (!hash.empty()) out += fmt::format(", {}, sha256 {}", bytes_text(count(part, "size")), hash);
  return out;
}

}  // namespace

void print_held_list(const Session& session, const Object& answer) {
  const Time now = SystemClock().now();
  Table table({"ID", "KEPT", "STATE", "SIZE", "FROM", "TO", "RULE", "SUBJECT"});
  for (const auto& one : list(answer, "held")) {
    if (!one.is_object()) continue;
    const Object& held = one.as_object();
    const bool asked = is_requested(held);
    table.row(
        {{text(held, "id"), Colour::bold},
         {age(held, "at", now)},
         {states_of(held) + (asked ? ", asked for" : ""), asked ? Colour::yellow : Colour::none},
         {bytes_text(count(held, "size"))},
         {from_of(held), Colour::yellow},
         {recipients_of(held)},
         {text(held, "rule")},
         {text(held, "subject")}});
  }
  table.print(session.terminal, "No mail is held that fits.");
  if (const std::string next = text(answer, "next"); !next.empty()) {
    session.terminal.line(fmt::format("\nMore: --after {}", escaped(shell_word(next))));
  }
}

std::vector<std::string> held_lines(const Object& held, const Terminal& terminal) {
  Lines lines(terminal);
  lines.row("id", text(held, "id"), Colour::bold);
  lines.row("kept", fmt::format("{}, until {}", moment(held, "at"), moment(held, "until")));
  lines.row("from", text(held, "sender"));
  lines.row("author", text(held, "author"), Colour::yellow);
  lines.row("subject", text(held, "subject"), Colour::yellow);
  lines.row("rule", text(held, "rule"));
  lines.row("reason", text(held, "reason"));
  lines.row("certain", flag(held, "certain") ? "yes: never offered to its recipients" : "");
  lines.row("decision", text(held, "decision"));
  lines.row("direction", text(held, "direction"));
  lines.row("login", text(held, "login"));
  lines.row("customer", text(held, "customer"));
  lines.row("campaign", text(held, "campaign"));
  lines.row("client", text(held, "client_ip"));
  lines.row("spf", text(held, "spf"));
  lines.row("dmarc", text(held, "dmarc"));
  lines.row("queue id", text(held, "queue_id"));
  lines.row("message id", text(held, "message_id"));
  lines.row("size", bytes_text(count(held, "size")));
  for (const auto& one : list(held, "copies")) {
    if (one.is_object()) lines.row("copy", copy_text(one.as_object()));
  }
  return lines.take();
}

std::vector<std::string> view_lines(const Object& answer, const Terminal& terminal) {
  const Object& view = inside(answer, "view");
  const Object& held = inside(answer, "held");
  Lines lines(terminal);
  lines.heading("Header");
  for (const auto& one : list(view, "header")) {
    if (one.is_string()) lines.line(std::string_view(one.as_string()));
  }
  lines.heading("Parts");
  for (const auto& one : list(view, "parts")) {
    if (one.is_object()) lines.line(part_text(one.as_object()));
  }
  for (const auto& one : list(view, "texts")) {
    if (!one.is_object()) continue;
    lines.heading("Text of " + text(one.as_object(), "type"));
    const std::string words = text(one.as_object(), "text");
    for (const std::string_view line : split(words, '\n')) lines.line(line);
  }
  const auto& links = list(view, "links");
  if (!links.empty()) lines.heading("Links, made dead");
  size_t number = 0;
  for (const auto& one : links) {
    ++number;
    if (!one.is_object()) continue;
    lines.line(fmt::format("[{}] {}{}", number, text(one.as_object(), "url"),
                           flag(one.as_object(), "fetched") ? "  (fetched by looking)" : ""));
  }
  const auto& findings = list(view, "findings");
  if (!findings.empty()) lines.heading("What is wrong with how it is made");
  for (const auto& one : findings) {
    if (one.is_string()) lines.line(std::string_view(one.as_string()));
  }
  if (const Object& verdict = inside(view, "verdict"); !verdict.empty()) {
    lines.heading("Verdict");
    lines.add(verdict_lines(
        {{"verdict", verdict}, {"queue_id", text(held, "queue_id")}, {"at", text(held, "at")}},
        terminal));
  }
  if (!flag(view, "whole")) lines.heading("Not all of it is shown: it is too large.");
  return lines.take();
}

void print_exceptions(const Session& session, const Object& answer) {
  Table table({"NAME", "UNTIL", "BY", "WHEN", "WHY"});
  for (const auto& one : list(answer, "exceptions")) {
    if (!one.is_object()) continue;
    const Object& exception = one.as_object();
    table.row({{text(exception, "name"), Colour::bold},
               {moment(exception, "until")},
               {text(exception, "by")},
               {text(exception, "when"), Colour::yellow},
               {text(exception, "why")}});
  }
  table.print(session.terminal, "No exceptions are in force.");
}

void print_usage(const Session& session, const Object& answer) {
  const Object& usage = inside(answer, "usage");
  const Terminal& terminal = session.terminal;
  terminal.line(fmt::format("messages   {}", grouped(count(usage, "messages"))));
  terminal.line(fmt::format("copies     {}, of them {} due and {} asked for",
                            grouped(count(usage, "copies")), grouped(count(usage, "due")),
                            grouped(count(usage, "requested"))));
  terminal.line(fmt::format("space      {} of {}", bytes_text(count(usage, "bytes")),
                            bytes_text(count(usage, "space"))));
  terminal.line(fmt::format("oldest     {}", age(usage, "oldest", SystemClock().now())));
  if (const std::string trouble = text(usage, "trouble"); !trouble.empty()) {
    terminal.line(terminal.paint("It takes NOTHING: " + trouble, Colour::red));
  }
}

}  // namespace watchpost::cli
