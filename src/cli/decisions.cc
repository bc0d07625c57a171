#include "cli/decisions.h"

#include "base/text.h"
#include "cli/answer.h"
#include "decide/wording.h"
#include "model/decision.h"

#include <algorithm>
#include <memory>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

Colour colour_of(std::string_view state) {
  if (state == "active") return Colour::red;
  if (state == "proposed") return Colour::yellow;
  return Colour::faint;
}

// A proposal that nobody confirmed: there was nothing to enforce, and nothing to undo.
bool is_lapsed(const Object& decision) {
  return text(decision, "state") == name_of(DecisionState::expired) &&
         text(decision, "ended_why") == decide::kUnconfirmed;
}

std::string state_text(const Object& decision) {
  return is_lapsed(decision) ? "lapsed" : text(decision, "state");
}

bool is_pending(const Object& enforcement) { return text(enforcement, "actual") == "pending"; }

// "submission: applied; hook: pending (see below)"
std::string enforcement_text(const Object& decision) {
  std::string out;
  if (is_lapsed(decision)) return out;
  for (const auto& one : list(decision, "enforcements")) {
    const Object& row = one.as_object();
    if (!out.empty()) out += "; ";
    out += fmt::format("{}: {}", text(row, "enforcer"), text(row, "actual"));
    if (is_pending(row) && text(row, "wanted") == "undone") out += " undo";
    if (const std::string error = text(row, "error"); !error.empty()) out += " (see below)";
  }
  return out;
}

// "2026-11-24T04:00:00Z, in 56 min"; when it ended, where it has.
std::string until_text(const Object& decision, Time now) {
  const std::string until = moment(decision, "until");
  const std::string state = text(decision, "state");
  if (state == "active") return fmt::format("{}, {}", until, age(decision, "until", now));
  if (state == "proposed") return "lapses " + until;
  return "ended " + moment(decision, "ended_at");
}

// What enforcers could not do: a decision that nobody carries out stops nothing.
void print_failures(const Terminal& terminal, const Object& decision) {
  for (const auto& one : list(decision, "enforcements")) {
    const Object& row = one.as_object();
    if (text(row, "error").empty()) continue;
    terminal.line(fmt::format("{} {}: {}: {}", terminal.paint(text(decision, "id"), Colour::bold),
                              terminal.paint(text(row, "actual"), Colour::red),
                              escaped(text(row, "enforcer")),
                              terminal.paint(text(row, "error"), Colour::none)));
  }
}

// A decision as it is now, with what the enforcers say; the old one where it cannot be had.
Object asked_again(const Session& session, const Object& old) {
  const auto answer = object_from(get(session.daemon, "/v1/incidents/" + text(old, "incident")));
  if (!answer) return old;
  for (const auto& each : list(*answer, "decisions")) {
    if (text(each.as_object(), "id") == text(old, "id")) return each.as_object();
  }
  return old;
}

// Gives enforcers a moment: whoever stops somebody wants to see that it is so.
Object settled(const Session& session, const Object& old) {
  constexpr int kTries = 10;
  Object now = asked_again(session, old);
  for (int i = 0; i < kTries; ++i) {
    const auto& rows = list(now, "enforcements");
    if (std::ranges::none_of(rows, [](auto& row) { return is_pending(row.as_object()); })) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    now = asked_again(session, old);
  }
  return now;
}

void print_shadow(const Session& session, const Object& answer) {
  Table table({"AT", "DETECTOR", "SCOPE", "WOULD HAVE", "BECAUSE"});
  for (const auto& one : list(answer, "shadow_decisions")) {
    const Object& decision = one.as_object();
    table.row({{moment(decision, "at")},
               {text(decision, "detector"), Colour::bold},
               {text(decision, "scope"), Colour::yellow},
               {text(decision, "measure")},
               {text(decision, "because")}});
  }
  table.print(session.terminal, "No shadow decisions.");
}

struct ListOptions {
  bool all = false;
  bool shadow = false;
  size_t limit = 50;
};

int list_decisions(const Session& session, const ListOptions& options) {
  const std::string limit = std::to_string(options.limit);
  if (options.shadow) {
    return show(session, get(session.daemon, "/v1/shadow-decisions", {{"limit", limit}}),
                [&](const Object& answer) { print_shadow(session, answer); });
  }
  return show(
      session,
      get(session.daemon, "/v1/decisions", {{"all", options.all ? "true" : ""}, {"limit", limit}}),
      [&](const Object& answer) { print_decisions(session, list(answer, "decisions")); });
}

void add_list(CLI::App& line, Session& session) {
  const auto options = std::make_shared<ListOptions>();
  line.add_flag("--all", options->all, "Ended ones too");
  line.add_flag("--shadow", options->shadow, "What detectors in shadow mode would have decided");
  line.add_option("--limit", options->limit, "At most so many")->check(CLI::Range(1, 10000));
  line.callback([&session, options] {
    session.action = [&session, options] { return list_decisions(session, *options); };
  });
}

void add_decision(CLI::App& line, Session& session) {
  line.require_subcommand(1);
  const auto id = std::make_shared<std::string>();
  const auto why = std::make_shared<std::string>();
  CLI::App* const revoke =
      line.add_subcommand("revoke", "Undo one measure; the stream gets a grace period")
          ->fallthrough();
  revoke->add_option("id", *id, "The decision: d-17")->required();
  revoke->add_option("--why", *why, "For the record");
  revoke->callback([&session, id, why] {
    session.action = [&session, id, why] {
      return show(
          session,
          post(session.daemon, fmt::format("/v1/decisions/{}/revoke", *id), body({{"why", *why}})),
          [&](const Object& answer) { print_changed(session, {answer.at("decision")}); });
    };
  });
}

}  // namespace

void print_decisions(const Session& session, const boost::json::array& decisions) {
  const Time now = SystemClock().now();
  Table table({"DECISION", "STATE", "MEASURE", "SCOPE", "UNTIL", "ENFORCED", "BY", "BECAUSE"});
  for (const auto& one : decisions) {
    const Object& decision = one.as_object();
    const std::string state = state_text(decision);
    table.row({{text(decision, "id"), Colour::bold},
               {state, colour_of(state)},
               {text(decision, "measure")},
               {text(decision, "scope"), Colour::yellow},
               {until_text(decision, now)},
               {enforcement_text(decision)},
               {text(decision, "made_by")},
               {text(decision, "because")}});
  }
  table.print(session.terminal, "No decisions.");
  for (const auto& one : decisions) print_failures(session.terminal, one.as_object());
}

void print_changed(const Session& session, const boost::json::array& decisions) {
  boost::json::array fresh;
  for (const auto& one : decisions) fresh.push_back(settled(session, one.as_object()));
  print_decisions(session, fresh);
}

constexpr Command kDecisions{"decisions", "Measures in force and proposed", add_list};
constexpr Command kDecision{"decision", "One decision: revoke it", add_decision};

}  // namespace watchpost::cli
