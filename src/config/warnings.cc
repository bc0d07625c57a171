#include "config/warnings.h"

#include "base/text.h"
#include "border/milter_enforcer.h"
#include "model/decision.h"
#include "model/provider.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace watchpost::config {
namespace {

constexpr size_t kMostNamed = 3;

// Says whether somebody could carry out a decision.
using Taker = std::function<Result<Done>(const Decision&)>;

// The inbound gate judges the very events that such decisions come from.
Result<Done> able_inbound(const Decision&) { return Done{}; }

// All that carries out decisions on mail of that direction.
std::vector<Taker> takers_of(const Configuration& configuration, Direction direction) {
  std::vector<Taker> takers;
  for (const EnforcerTable& table : configuration.enforcers) {
    const auto* const kind = enforce::enforcer_kind(table.kind);
    if (kind == nullptr || kind->can == nullptr || !table.settings) continue;
    takers.emplace_back([can = kind->can, &settings = *table.settings](const Decision& decision) {
      return can(settings, decision);
    });
  }
  for (const border::MilterSettings& milter : configuration.milters) {
    const bool inbound = direction == Direction::inbound;
    if (milter.mode != name_of(Mode::enforce) || inbound != (milter.role == "inbound")) continue;
    takers.emplace_back(inbound ? able_inbound : border::MilterEnforcer::able);
  }
  return takers;
}

bool is_carried_out(const Measure& measure) { return measure.kind != MeasureKind::notify; }

bool has_to_be_carried_out(const detect::Detector& rule) {
  return rule.mode == Mode::enforce && std::ranges::any_of(rule.then, is_carried_out);
}

// Such a decision of this rule as it could come.
Decision decision_of(std::span<const Field> dimensions, const Measure& measure) {
  Decision made{.id = DecisionId{1}, .measure = measure};
  for (const Field dimension : dimensions) made.scope.parts.push_back({dimension, "any"});
  return made;
}

// Why nobody can carry it out, as the first says; nothing where somebody can.
std::optional<std::string> why_nobody(std::span<const Taker> takers, const Decision& decision) {
  std::optional<std::string> why;
  for (const Taker& can : takers) {
    const auto answer = can(decision);
    if (answer) return std::nullopt;
    if (!why) why = answer.error().what;
  }
  return why;
}

std::string dimensions_text(std::span<const Field> dimensions) {
  std::vector<std::string_view> names;
  for (const Field dimension : dimensions) names.push_back(name_of(dimension));
  return fmt::format("{}", fmt::join(names, " "));
}

// One for each `watch` of the rule, with all of its measures.
void check_rule(const detect::Detector& rule, std::span<const Taker> takers, Warnings& warnings) {
  for (const std::vector<Field>& dimensions : rule.watch) {
    std::vector<std::string> measures;
    std::string why;
    for (const Measure& measure : rule.then) {
      if (!is_carried_out(measure)) continue;
      const auto nobody = why_nobody(takers, decision_of(dimensions, measure));
      if (!nobody) continue;
      why = *nobody;
      measures.push_back(fmt::format("`{}`", measure.text()));
    }
    if (measures.empty()) continue;
    warnings.push_back({Code::refused,
                        fmt::format("no enforcer can carry out {} where it watches `{}`: {}",
                                    fmt::join(measures, ", "), dimensions_text(dimensions), why),
                        fmt::format("[[detector]] `{}`", escaped(rule.name, 64))});
  }
}

Error nobody_at_all(std::span<const std::string> rules) {
  const auto named = rules.first(std::min(rules.size(), kMostNamed));
  std::string who = fmt::format("{}", fmt::join(named, ", "));
  if (rules.size() > named.size()) who += fmt::format(" and {} more", rules.size() - named.size());
  return {Code::refused,
          fmt::format("there is none that carries out decisions: what {} decide{} stops nobody",
                      who, rules.size() == 1 ? "s" : ""),
          "[[enforcer]]"};
}

// An address where others than this machine may come.
bool is_open(std::string_view listen) {
  return !listen.starts_with("unix:") && !listen.starts_with("127.") &&
         !listen.starts_with("[::1]");
}

void check_milter(const border::MilterSettings& milter, const Configuration& in,
                  Warnings& warnings) {
  const std::string about = fmt::format("[[milter]] `{}`", escaped(milter.name, 64));
  if (std::ranges::any_of(milter.listen, is_open)) {
    warnings.push_back({Code::refused,
                        "whoever reaches its address is believed as the mail server: see that "
                        "nobody else can",
                        about});
  }
  if (milter.role == "inbound" && milter.deadline <= in.dns.message_time) {
    warnings.push_back({Code::refused,
                        "`deadline` is not longer than `message_time` of [dns]: where DNS is slow "
                        "mail waits that would have been judged",
                        about});
  }
}

// Mail to be quarantined, and no place for it; or a place that nothing comes out of again.
void check_quarantine(const Configuration& in, Warnings& warnings) {
  const auto wanted = [](std::string_view word) { return word == "quarantine"; };
  const border::BorderSettings& border = in.border;
  const bool anywhere =
      wanted(border.dmarc_reject) || wanted(border.dmarc_quarantine) ||
      wanted(border.uncertain_author) || wanted(border.listed) || wanted(border.too_large) ||
      wanted(border.malformed) || wanted(border.foreign_author) ||
      std::ranges::any_of(in.filters, [&](const auto& one) { return wanted(one.then); });
  if (!in.quarantine.there()) {
    if (!anywhere) return;
    warnings.push_back(
        {Code::refused,
         fmt::format("there is no quarantine ([quarantine] names no `key_file`): what is to be "
                     "quarantined is done by `{}`",
                     wanted(border.quarantine) ? "tempfail" : border.quarantine),
         "[border] quarantine"});
  } else if (in.quarantine.release_to.empty()) {
    warnings.push_back({Code::refused,
                        "without `release_to` what is held cannot be released, only exported or "
                        "thrown away",
                        "[quarantine]"});
  }
}

// Two enforcers for the same mail, of which the one that is asked first knows no quarantine.
void check_holds(const Configuration& in, Warnings& warnings) {
  const bool kept = in.quarantine.there() && in.quarantine.holds &&
                    std::ranges::any_of(in.milters, [](const border::MilterSettings& milter) {
                      return milter.role == "outbound" && milter.mode == name_of(Mode::enforce);
                    });
  if (!kept) return;
  for (const EnforcerTable& table : in.enforcers) {
    if (table.kind != "postfix_policy") continue;
    warnings.push_back({Code::refused,
                        "it refuses mail under a `hold` at its recipients, before a milter could "
                        "keep it: where the milter is asked as well, Postfix need not ask this",
                        fmt::format("[[enforcer]] `{}`", escaped(table.name, 64))});
  }
}

// Whoever has a mailbox there writes from that domain, with its signature.
void check_reporters(const Configuration& in, Warnings& warnings) {
  for (const std::string& reporter : in.feedback.reporters) {
    if (!is_mailbox_provider(lower_ascii(reporter))) continue;  // an address is none
    warnings.push_back({Code::refused,
                        fmt::format("everybody who has a mailbox at {} is believed: name the "
                                    "address that its reports come from",
                                    escaped(reporter, 64)),
                        "feedback.reporters"});
  }
}

// Keys that have all ended, and requests to unsubscribe that take nobody off a list.
void check_feedback(const Configuration& in, Time now, Warnings& warnings) {
  const auto& keys = in.feedback.keys;
  if (keys.empty()) return;
  const auto has_ended = [&](const feedback::TokenKeySettings& key) {
    const auto end = parse_time(key.not_after);
    return end && now >= *end;
  };
  if (std::ranges::all_of(keys, has_ended)) {
    warnings.push_back({Code::refused,
                        fmt::format("`not_after` of {} is over: no token can be made, and none is "
                                    "believed",
                                    keys.size() == 1 ? "the only key" : "all keys"),
                        "[[feedback.key]]"});
  }
  const auto heeds = [](const suppress::SuppressSettings& rule) {
    return rule.when.contains(name_of(EventKind::unsubscribed)) || rule.reason == "unsubscribe";
  };
  if (!std::ranges::any_of(in.suppress, heeds)) {
    warnings.push_back({Code::refused,
                        "none is for `unsubscribed`: a request to unsubscribe is an event and "
                        "takes nobody off a list",
                        "[[suppress]]"});
  }
}

void check_sources(const Configuration& in, Warnings& warnings) {
  for (const SourceTable& table : in.sources) {
    if (!table.settings) continue;
    for (const Error& one : table.settings->missing()) {
      warnings.push_back({one.code, fmt::format("`{}`: {}", one.about, one.what),
                          fmt::format("[[source]] `{}`", escaped(table.name, 64))});
    }
  }
}

}  // namespace

Warnings warnings_of(const Configuration& configuration, Time now) {
  const std::vector<Taker> outbound = takers_of(configuration, Direction::outbound);
  const std::vector<Taker> inbound = takers_of(configuration, Direction::inbound);
  Warnings warnings;
  std::vector<std::string> in_vain;
  for (const detect::Detector& rule : configuration.rules) {
    if (!has_to_be_carried_out(rule)) continue;
    const auto& takers = rule.direction == Direction::inbound ? inbound : outbound;
    if (takers.empty()) {
      in_vain.push_back(fmt::format("`{}`", escaped(rule.name, 64)));
    } else {
      check_rule(rule, takers, warnings);
    }
  }
  if (!in_vain.empty()) warnings.push_back(nobody_at_all(in_vain));
  for (const border::MilterSettings& milter : configuration.milters) {
    check_milter(milter, configuration, warnings);
  }
  check_quarantine(configuration, warnings);
  check_holds(configuration, warnings);
  check_reporters(configuration, warnings);
  check_feedback(configuration, now, warnings);
  check_sources(configuration, warnings);
  return warnings;
}

}  // namespace watchpost::config
