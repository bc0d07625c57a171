#include "base/text.h"
#include "cli/answer.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

void print_sources(const Session& session, const Object& answer, Time now, bool samples) {
  Table table({"SOURCE", "KIND", "LINES", "EVENTS", "LAST EVENT", "BEHIND", "NOT READ", "STATE"});
  for (const auto& one : list(answer, "sources")) {
    const Object& source = one.as_object();
    const uint64_t unread = count(source, "unread_total");
    const uint64_t behind = count(source, "bytes_behind");
    table.row({{text(source, "name"), Colour::bold},
               {text(source, "kind")},
               {grouped(count(source, "lines"))},
               {grouped(count(source, "events"))},
               {age(source, "last_event_at", now)},
               {grouped(behind) + " B", behind > 0 ? Colour::yellow : Colour::none},
               {grouped(unread), unread > 0 ? Colour::yellow : Colour::none},
               {text(source, "state"), flag(source, "healthy") ? Colour::green : Colour::red}});
  }
  table.print(session.terminal, "No sources are configured.");
  if (!samples) return;
  for (const auto& one : list(answer, "sources")) {
    for (const auto& [reason, entry] : inside(one.as_object(), "unread")) {
      session.terminal.line(fmt::format("\n{}: {} lines not read: {}",
                                        text(one.as_object(), "name"),
                                        grouped(count(entry.as_object(), "count")),
                                        std::string_view(reason.data(), reason.size())));
      for (const auto& sample : list(entry.as_object(), "samples")) {
        session.terminal.line("  " + escaped(std::string(sample.as_string()), 160));
      }
    }
  }
}

void print_status(const Session& session, const Object& status) {
  const Terminal& terminal = session.terminal;
  const Time now = parse_time(text(status, "now")).value_or(Time{});
  terminal.line(fmt::format("watchpost {}, running since {}", text(status, "version"),
                            text(status, "started_at")));
  terminal.line(flag(status, "storing") ? terminal.paint("storing: yes", Colour::green)
                                        : terminal.paint("storing: NO, following pauses: " +
                                                             text(status, "store_error"),
                                                         Colour::red));
  terminal.line(
      flag(status, "automation")
          ? terminal.paint("automatic measures: on", Colour::green)
          : terminal.paint("automatic measures: OFF, detectors only propose", Colour::red));
  terminal.line(fmt::format("events: {} stored, {} late, {} streams in {:.1f} MiB, {} evicted",
                            grouped(count(status, "events")), grouped(count(status, "late")),
                            grouped(count(status, "streams")),
                            number(status, "watch_bytes") / 1048576,
                            grouped(count(status, "evicted"))));
  const uint64_t open = count(status, "open_incidents");
  terminal.line(terminal.paint(
      fmt::format("incidents: {} open; decisions: {} in force, {} proposed", open,
                  count(status, "active_decisions"), count(status, "proposed_decisions")),
      open > 0 ? Colour::yellow : Colour::none));
  terminal.line();
  print_sources(session, status, now, false);
  terminal.line();
  Table enforcers({"ENFORCER", "APPLIED", "PENDING", "FAILED", "STATE"});
  for (const auto& one : list(status, "enforcers")) {
    const Object& enforcer = one.as_object();
    const uint64_t failed = count(enforcer, "failed");
    enforcers.row({{text(enforcer, "name"), Colour::bold},
                   {grouped(count(enforcer, "applied"))},
                   {grouped(count(enforcer, "pending"))},
                   {grouped(failed), failed > 0 ? Colour::red : Colour::none},
                   {text(enforcer, "state")}});
  }
  enforcers.print(terminal, "No enforcers are configured: decisions stay on paper.");
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
