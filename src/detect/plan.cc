#include "detect/plan.h"

#include "expr/event_schema.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace watchpost::detect {
namespace {

constexpr std::array<EventKind, 3> kAttempts{EventKind::delivered, EventKind::deferred,
                                             EventKind::bounced};

// The kinds of event that a count of the schema counts.
std::vector<EventKind> kinds_of(size_t count) {
  if (count == expr::attempted_count()) return {kAttempts.begin(), kAttempts.end()};
  const auto kind = event_kind_from(expr::event_schema().counts[count]);
  WP_CHECK(kind.has_value());
  return {*kind};
}

// Places a plan's parts; the Plan itself is what remains.
class Planner {
 public:
  explicit Planner(Plan& plan) : plan_(plan) {}

  void place_all() {
    collect_groups();
    for (uint32_t group = 0; group < plan_.groups.size(); ++group) place_group(group);
    for (size_t direction = 0; direction < 2; ++direction) finish(direction);
  }

 private:
  using GroupKey = std::pair<Direction, std::vector<Field>>;

  void collect_groups() {
    for (uint32_t detector = 0; detector < plan_.detectors.size(); ++detector) {
      const std::vector<std::vector<Field>>& watched = plan_.detectors[detector].watch;
      for (uint32_t index = 0; index < watched.size(); ++index) {
        const std::vector<Field>& watch = watched[index];
        GroupKey key{plan_.detectors[detector].direction, watch};
        std::ranges::sort(key.second);
        const auto [at, added] = groups_.try_emplace(key, groups_.size());
        if (added) {
          plan_.groups_of[static_cast<size_t>(key.first)].push_back(at->second);
          plan_.groups.push_back({.direction = key.first, .dimensions = key.second});
        }
        Rule rule{.detector = detector, .watch = index, .group = at->second};
        for (const Field field : watch) {
          const auto place = std::ranges::find(key.second, field) - key.second.begin();
          rule.order.push_back(static_cast<uint8_t>(place));
        }
        plan_.groups[at->second].rules.push_back(static_cast<uint32_t>(plan_.rules.size()));
        plan_.rules.push_back(std::move(rule));
      }
    }
  }

  void place_group(uint32_t index) {
    Group& group = plan_.groups[index];
    group.first_series = static_cast<uint32_t>(plan_.series.size());
    for (const uint32_t rule : group.rules) place_rule(rule, group);
    group.series = static_cast<uint32_t>(plan_.series.size()) - group.first_series;
    group.longest = group.first_series;
    for (uint32_t i = 1; i < group.series; ++i) {
      const uint32_t series = group.first_series + i;
      if (plan_.series[series].window > plan_.series[group.longest].window) group.longest = series;
    }
  }

  // Conditioned terms of a rule that the series does not count yet.
  size_t missing(const Series& series, const Detector& detector) const {
    std::set<std::string_view> texts;
    const auto look = [&](const expr::CountCondition& condition) {
      for (const expr::CountTerm& term : condition.terms()) {
        if (!term.where.empty() &&
            std::ranges::find(series.conditioned, term.text, &ConditionedColumn::text) ==
                series.conditioned.end()) {
          texts.insert(term.text);
        }
      }
    };
    look(detector.when);
    for (const auto& guard : detector.guard) look(guard);
    return texts.size();
  }

  uint32_t series_for(const Detector& detector, const Group& group) {
    for (uint32_t i = group.first_series; i < plan_.series.size(); ++i) {
      const Series& series = plan_.series[i];
      if (series.window == detector.window && series.rules.size() < kMostRules &&
          series.columns + missing(series, detector) <= kMostColumns) {
        return i;
      }
    }
    Series series{.window = detector.window};
    series.shape =
        WindowShape::of(std::chrono::duration_cast<std::chrono::seconds>(detector.window).count());
    plan_.series.push_back(std::move(series));
    return static_cast<uint32_t>(plan_.series.size() - 1);
  }

  void place_rule(uint32_t index, const Group& group) {
    Rule& rule = plan_.rules[index];
    const Detector& detector = plan_.detectors[rule.detector];
    rule.series = series_for(detector, group);
    Series& series = plan_.series[rule.series];
    const RuleMask mask = RuleMask{1} << series.rules.size();
    series.rules.push_back(index);
    rule.when = place_terms(detector.when, series, mask, group.direction);
    for (const auto& guard : detector.guard) {
      rule.guard = place_terms(guard, series, mask, group.direction);
    }
  }

  std::vector<TermColumns> place_terms(const expr::CountCondition& condition, Series& series,
                                       RuleMask mask, Direction direction) {
    std::vector<TermColumns> placed;
    for (const expr::CountTerm& term : condition.terms()) {
      TermColumns columns;
      if (term.where.empty()) {
        for (const EventKind kind : kinds_of(term.count)) {
          columns.column[columns.size++] = static_cast<uint8_t>(kind);
          series.plain_rules[static_cast<size_t>(kind)] |= mask;
        }
      } else {
        ConditionedColumn& column = conditioned(term, series, direction);
        column.rules |= mask;
        columns = {.column = {column.column}, .size = 1};
      }
      placed.push_back(columns);
    }
    return placed;
  }

  ConditionedColumn& conditioned(const expr::CountTerm& term, Series& series, Direction direction) {
    const auto found = std::ranges::find(series.conditioned, term.text, &ConditionedColumn::text);
    if (found != series.conditioned.end()) return *found;
    WP_CHECK(series.columns < kMostColumns);
    const uint32_t condition = condition_of(term.where.front());
    const auto place = static_cast<uint8_t>(series.conditioned.size());
    for (const EventKind kind : kinds_of(term.count)) {
      series.of_kind[static_cast<size_t>(kind)].push_back(place);
      auto& wanted = plan_.conditions_of[static_cast<size_t>(direction)][static_cast<size_t>(kind)];
      if (std::ranges::find(wanted, condition) == wanted.end()) wanted.push_back(condition);
    }
    series.conditioned.push_back({.text = term.text,
                                  .condition = condition,
                                  .column = static_cast<uint8_t>(series.columns++)});
    return series.conditioned.back();
  }

  uint32_t condition_of(const expr::RowCondition& where) {
    const auto found = std::ranges::find(plan_.conditions, where.text(), &expr::RowCondition::text);
    const auto index = static_cast<uint32_t>(found - plan_.conditions.begin());
    if (found == plan_.conditions.end()) plan_.conditions.push_back(where);
    return index;
  }

  void finish(size_t direction) {
    std::vector<Field>& all = plan_.dimensions_of[direction];
    for (const uint32_t group : plan_.groups_of[direction]) {
      const std::vector<Field>& some = plan_.groups[group].dimensions;
      all.insert(all.end(), some.begin(), some.end());
    }
    std::ranges::sort(all);
    const auto rest = std::ranges::unique(all);
    all.erase(rest.begin(), rest.end());
  }

  Plan& plan_;
  std::map<GroupKey, uint32_t> groups_;
};

}  // namespace

bool Group::has(std::span<const Field> some) const {
  return std::ranges::is_permutation(some, dimensions);
}

Plan::Plan(std::vector<Detector> rules_wanted) : detectors(std::move(rules_wanted)) {
  std::erase_if(detectors, [](const Detector& detector) { return detector.mode == Mode::off; });
  Planner(*this).place_all();
}

}  // namespace watchpost::detect
