#include "cli/decisions.h"

#include "base/text.h"
#include "cli/answer.h"

#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

Colour colour_of(std::string_view state) {
  if (state == "active") return Colour::red;
  if (state == "proposed") return Colour::yellow;
  return Colour::faint;
}

// "submission: applied; hook: pending (connection refused)"
std::string enforcement_text(const Object& decision) {
  std::string out;
  for (const auto& one : list(decision, "enforcements")) {
    const Object& row = one.as_object();
    if (!out.empty()) out += "; ";
    out += fmt::format("{}: {}", text(row, "enforcer"), text(row, "actual"));
    if (const std::string error = text(row, "error"); !error.empty()) out += " (" + error + ")";
  }
  return out;
}

void print_shadow(const Session& session, const Object& answer) {
  Table table({"AT", "DETECTOR", "SCOPE", "WOULD HAVE", "BECAUSE"});
  for (const auto& one : list(answer, "shadow_decisions")) {
    const Object& decision = one.as_object();
    table.row({{text(decision, "at")},
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
          [&](const Object& answer) { print_decisions(session, {answer.at("decision")}); });
    };
  });
}

}  // namespace

void print_decisions(const Session& session, const boost::json::array& decisions) {
  Table table({"DECISION", "STATE", "MEASURE", "SCOPE", "UNTIL", "BY", "ENFORCED", "BECAUSE"});
  for (const auto& one : decisions) {
    const Object& decision = one.as_object();
    const std::string state = text(decision, "state");
    table.row({{text(decision, "id"), Colour::bold},
               {state, colour_of(state)},
               {text(decision, "measure")},
               {text(decision, "scope"), Colour::yellow},
               {text(decision, "until")},
               {text(decision, "made_by")},
               {enforcement_text(decision)},
               {text(decision, "because")}});
  }
  table.print(session.terminal, "No decisions.");
}

constexpr Command kDecisions{"decisions", "Measures in force and proposed", add_list};
constexpr Command kDecision{"decision", "One decision: revoke it", add_decision};

}  // namespace watchpost::cli
