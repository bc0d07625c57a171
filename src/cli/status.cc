#include "base/text.h"
#include "cli/answer.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

// Lines of other programs are ordinary in a shared log; whatever else was not read is not.
constexpr std::string_view kOtherProgram = "other_program";

uint64_t not_read(const Object& source) {
  const Object& unread = inside(source, "unread");
  return count(source, "unread_total") - count(inside(unread, kOtherProgram), "count");
}

// The reasons that readers give, in words; docs/formats says more of each.
std::string_view words_of(std::string_view reason) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kWords{{
      {"no_timestamp", "no time stamp at the start, or an impossible one"},
      {"no_program", "no program is named"},
      {kOtherProgram, "of other programs, ordinary in a shared log"},
      {"unknown_service", "of an unknown part of Postfix"},
      {"not_understood", "of an unknown shape"},
      {"unknown_status", "an unknown status"},
      {"too_long", "cut, and read as far as they go"},
      {"line_too_long", "cut, and read as far as they go"},
      {"repeated_too_often", "repeated more than 1,000 times, counted 1,000 times"},
      {"bad_event", "not an event"},
  }};
  const auto* const found = std::ranges::find(kWords, reason, [](auto& one) { return one.first; });
  return found != kWords.end() ? found->second : "";
}

void print_unread(const Terminal& terminal, const Object& source) {
  for (const auto& [reason, entry] : inside(source, "unread")) {
    const std::string_view name(reason.data(), reason.size());
    const std::string_view words = words_of(name);
    terminal.line(fmt::format("\n{}: {} not read: {}{}{}", escaped(text(source, "name")),
                              counted(count(entry.as_object(), "count"), "line"), escaped(name),
                              words.empty() ? "" : ", ", words));
    for (const auto& sample : list(entry.as_object(), "samples")) {
      terminal.line("  " + escaped(std::string(sample.as_string()), 160));
    }
  }
}

// "1.2 GiB, 37 % read, 4m left"
std::string behind_text(const Object& source) {
  std::string behind = bytes_text(count(source, "bytes_behind"));
  const auto* const share = source.if_contains("share");
  if (share != nullptr && share->is_double()) {
    behind += fmt::format(", {:.0f} % read", std::floor(share->as_double() * 100));
  }
  const std::string left = text(source, "left");
  return left.empty() ? behind : fmt::format("{}, {} left", behind, left);
}

void print_sources(const Session& session, const Object& answer, Time now, bool samples) {
  Table table({"SOURCE", "KIND", "LINES", "EVENTS", "LAST EVENT", "BEHIND", "NOT READ", "STATE"});
  for (const auto& one : list(answer, "sources")) {
    const Object& source = one.as_object();
    const uint64_t unread = not_read(source);
    const uint64_t behind = count(source, "bytes_behind");
    table.row({{text(source, "name"), Colour::bold},
               {text(source, "kind")},
               {grouped(count(source, "lines"))},
               {grouped(count(source, "events"))},
               {age(source, "last_event_at", now)},
               {behind_text(source), behind > 0 ? Colour::yellow : Colour::none},
               {grouped(unread), unread > 0 ? Colour::yellow : Colour::none},
               {text(source, "state"), flag(source, "healthy") ? Colour::green : Colour::red}});
  }
  table.print(session.terminal, "No sources are configured.");
  if (!samples) return;
  if (const auto& sources = list(answer, "sources"); !sources.empty()) {
    session.terminal.line(fmt::format("\nCounted since the daemon's start: {}",
                                      moment(sources.front().as_object(), "counted_since")));
  }
  for (const auto& one : list(answer, "sources")) print_unread(session.terminal, one.as_object());
}

void print_enforcers(const Terminal& terminal, const Object& status) {
  Table enforcers({"ENFORCER, NOTIFY", "APPLIED", "PENDING", "FAILED", "STATE"});
  for (const auto& one : list(status, "enforcers")) {
    const Object& enforcer = one.as_object();
    const uint64_t failed = count(enforcer, "failed");
    enforcers.row({{text(enforcer, "name"), Colour::bold},
                   {grouped(count(enforcer, "applied"))},
                   {grouped(count(enforcer, "pending"))},
                   {grouped(failed), failed > 0 ? Colour::red : Colour::none},
                   {to_the_second(text(enforcer, "state"))}});
  }
  enforcers.print(terminal, "No enforcers are configured: decisions stay on paper.");
}

// What waits for a person.
void print_work(const Terminal& terminal, const Object& status) {
  const uint64_t open = count(status, "open_incidents");
  const uint64_t proposed = count(status, "proposed_decisions");
  terminal.line(terminal.paint(
      fmt::format("incidents: {} open{}", grouped(open), open > 0 ? " (watchpost incidents)" : ""),
      open > 0 ? Colour::yellow : Colour::none));
  terminal.line(terminal.paint(
      fmt::format("decisions: {} in force, {} proposed{}",
                  grouped(count(status, "active_decisions")), grouped(proposed),
                  proposed > 0 ? ": they wait for `watchpost incident confirm`" : ""),
      proposed > 0 ? Colour::yellow : Colour::none));
}

// "quarantine: 12 messages held, 2 asked for by recipients; 1.2 MiB of 10.0 GiB"
void print_quarantine(const Terminal& terminal, const Object& status) {
  const Object& held = inside(status, "quarantine");
  if (held.empty()) return;
  if (const std::string trouble = text(held, "trouble"); !trouble.empty()) {
    terminal.line(terminal.paint("quarantine: takes NOTHING: " + trouble, Colour::red));
  }
  const uint64_t bytes = count(held, "bytes");
  const uint64_t space = count(held, "space");
  const uint64_t requested = count(held, "requested");
  const std::string asked =
      requested > 0 ? fmt::format(", {} asked for (watchpost quarantine list --requested)",
                                  grouped(requested))
                    : "";
  const bool filling = bytes / 4 >= space / 5;  // 80 %
  terminal.line(terminal.paint(
      fmt::format("quarantine: {} held{}; {} of {}", counted(count(held, "messages"), "message"),
                  asked, bytes_text(bytes), bytes_text(space)),
      filling || requested > 0 ? Colour::yellow : Colour::none));
}

void print_status(const Session& session, const Object& status) {
  const Terminal& terminal = session.terminal;
  const Time now = parse_time(text(status, "now")).value_or(Time{});
  terminal.line(fmt::format("watchpost {}, started {}, {}", escaped(text(status, "version")),
                            moment(status, "started_at"), age(status, "started_at", now)));
  terminal.line(flag(status, "storing") ? terminal.paint("storing: yes", Colour::green)
                                        : terminal.paint("storing: NO, following pauses: " +
                                                             text(status, "store_error"),
                                                         Colour::red));
  if (!flag(status, "counting")) {
    terminal.line("counters: still being read; sources wait, what is in force holds");
  }
  terminal.line(
      flag(status, "automation")
          ? terminal.paint("automatic measures: on", Colour::green)
          : terminal.paint("automatic measures: OFF, detectors only propose", Colour::red));
  print_work(terminal, status);
  print_quarantine(terminal, status);
  terminal.line(fmt::format(
      "events: {} stored, {} late; {} in {}, {} evicted", grouped(count(status, "events")),
      grouped(count(status, "late")), counted(count(status, "streams"), "stream"),
      bytes_text(count(status, "watch_bytes")), grouped(count(status, "evicted"))));
  terminal.line();
  print_sources(session, status, now, false);
  terminal.line();
  print_enforcers(terminal, status);
}

void add_status(CLI::App& line, Session& session) {
  line.callback([&session] {
    session.action = [&session] {
      return show(session, get(session.daemon, "/v1/status"),
                  [&](const Object& status) { print_status(session, status); });
    };
  });
}

void add_sources(CLI::App& line, Session& session) {
  line.footer("Lines that could not be understood are shown below the table, with samples.");
  line.callback([&session] {
    session.action = [&session] {
      return show(session, get(session.daemon, "/v1/sources"), [&](const Object& answer) {
        print_sources(session, answer, SystemClock().now(), true);
      });
    };
  });
}

void add_reload(CLI::App& line, Session& session) {
  line.callback([&session] {
    session.action = [&session] {
      return show(session, post(session.daemon, "/v1/reload", "{}"), [&](const Object&) {
        session.terminal.line("The configuration was read again and is in force.");
      });
    };
  });
}

}  // namespace

constexpr Command kStatus{"status", "How the daemon is: storing, sources, enforcers", add_status};
constexpr Command kSources{"sources", "Where events come from, and what could not be read",
                           add_sources};
constexpr Command kReload{"reload", "Have the daemon read its configuration again", add_reload};

}  // namespace watchpost::cli
