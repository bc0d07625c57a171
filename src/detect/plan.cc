#include "detect/plan.h"

#include "detect/plan_needs.h"
#include "detect/plan_terms.h"
#include "detect/sketch_cells.h"
#include "expr/event_schema.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace watchpost::detect {
namespace {

// Whoever attacks in bursts goes on: one minute below the threshold ends nothing.
constexpr Duration kLeastQuiet = std::chrono::hours(1);

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
          plan_.groups.push_back(
              {.direction = key.first,
               .has_provider = std::ranges::find(key.second, Field::provider) != key.second.end(),
               .dimensions = key.second});
          for (const Field field : key.second) {
            plan_.groups.back().fields |= 1U << static_cast<size_t>(field);
          }
        }
        Rule rule{.detector = detector, .watch = index, .group = at->second};
        place_fault(rule, plan_.groups[at->second]);
        for (const Field field : watch) {
          const auto place = std::ranges::find(key.second, field) - key.second.begin();
          rule.order.push_back(static_cast<uint8_t>(place));
        }
        plan_.groups[at->second].rules.push_back(static_cast<uint32_t>(plan_.rules.size()));
        plan_.rules.push_back(std::move(rule));
      }
    }
  }

  void place_fault(Rule& rule, Group& group) const {
    const Detector& detector = plan_.detectors[rule.detector];
    // A cohort says what was, for as long as its window is.
    rule.receiver_fault = group.has_provider && detector.cohort == Duration::zero() &&
                          detector.suggests == Verdict::receiver_fault;
    group.has_receiver_faults = group.has_receiver_faults || rule.receiver_fault;
    group.all_shadow = group.all_shadow && detector.mode == Mode::shadow;
    bool& any = plan_.has_receiver_faults[static_cast<size_t>(group.direction)];
    any = any || rule.receiver_fault;
  }

  void place_group(uint32_t index) {
    Group& group = plan_.groups[index];
    group.first_series = static_cast<uint32_t>(plan_.series.size());
    group.sketches.first = static_cast<uint32_t>(plan_.sketches.size());
    for (const uint32_t rule : group.rules) place_rule(rule, group);
    group.series = static_cast<uint32_t>(plan_.series.size()) - group.first_series;
    group.longest = group.first_series;
    for (uint32_t i = 0; i < group.series; ++i) {
      const uint32_t index_of_series = group.first_series + i;
      const Series& series = plan_.series[index_of_series];
      const Series& longest = plan_.series[group.longest];
      if (series.is_cohort()) group.cohorts = std::max(group.cohorts, series.window);
      if (std::pair(!series.is_cohort(), series.window) >
          std::pair(!longest.is_cohort(), longest.window)) {
        group.longest = index_of_series;
      }
    }
    lay_out_sketches(group);
    for (uint32_t i = 0; i < group.sketches.size; ++i) {
      const uint32_t index_of_sketch = group.sketches.first + i;
      for (Sketch::Feed& feed : plan_.sketches[index_of_sketch].feeds) {
        feed.raises = raised_by(index_of_sketch, feed);
      }
    }
  }

  RuleMask raised_by(uint32_t sketch, const Sketch::Feed& feed) const {
    RuleMask raised = 0;
    const Series& series = plan_.series[feed.series];
    for (size_t i = 0; i < series.rules.size(); ++i) {
      const std::optional<NeedPlace>& threshold = plan_.rules[series.rules[i]].threshold;
      if (!threshold) continue;
      const bool climbs = threshold->size == 0 && threshold->term.sketch == sketch;
      if (climbs || (feed.column != 0 && threshold->counts(feed.column)))
        raised |= RuleMask{1} << i;
    }
    return raised;
  }

  void lay_out_sketches(Group& group) {
    SketchLayout& layout = group.sketches;
    layout.size = static_cast<uint32_t>(plan_.sketches.size()) - layout.first;
    for (uint32_t i = 0; i < layout.size; ++i) {
      Sketch& sketch = plan_.sketches[layout.first + i];
      sketch.offset = layout.bytes;
      layout.bytes += static_cast<uint32_t>(cell_size(sketch.kind));
      for (const auto* rows : {&sketch.rows, &sketch.bad}) {
        for (const Rows& some : *rows) layout.kinds |= some.kinds;
      }
      const bool baseline = sketch.kind == SketchKind::baseline;
      if (baseline) sketch.week = plan_.weeks++;
      layout.has_baselines = layout.has_baselines || baseline;
      group.remembers = group.remembers || baseline || sketch.kind == SketchKind::known;
    }
  }

  // Conditioned terms of a rule that the series does not count yet.
  size_t missing(const Series& series, const Detector& detector) const {
    std::set<std::string_view> texts;
    const auto look = [&](const expr::CountCondition& condition) {
      for (const expr::CountTerm& term : condition.terms()) {
        if (has_column(term) &&
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
      if (series.window == detector.window && series.cohort == detector.cohort &&
          series.rules.size() < kMostRules &&
          series.columns + missing(series, detector) <= kMostColumns) {
        return i;
      }
    }
    Series series{.window = detector.window, .cohort = detector.cohort};
    const auto seconds = [](Duration span) {
      return std::chrono::duration_cast<std::chrono::seconds>(span).count();
    };
    series.shape = series.is_cohort()
                       ? WindowShape::of_slots(seconds(detector.window), seconds(detector.cohort))
                       : WindowShape::of(seconds(detector.window));
    plan_.series.push_back(std::move(series));
    return static_cast<uint32_t>(plan_.series.size() - 1);
  }

  void place_rule(uint32_t index, const Group& group) {
    Rule& rule = plan_.rules[index];
    const Detector& detector = plan_.detectors[rule.detector];
    rule.series = series_for(detector, group);
    Series& series = plan_.series[rule.series];
    const Placing placing{
        .series = rule.series,
        .mask = RuleMask{1} << series.rules.size(),
        .direction = group.direction,
        .first_sketch = group.sketches.first,
        .detector = detector.name,
        // A cohort is judged when something late comes of it: more mail
        // alone only speaks for it.
        .tries_count = !series.is_cohort() || std::ranges::all_of(detector.when.terms(), is_tries)};
    series.rules.push_back(index);
    rule.lag = waits_for(detector.when);
    if (!series.is_cohort()) rule.quiet = std::max(series.window, kLeastQuiet);
    if (rule.receiver_fault) rule.failures = failures_of(detector.when, placing);
    rule.when = place_terms(detector.when, placing);
    for (const auto& guard : detector.guard) rule.guard = place_terms(guard, placing);
    rule.needs = needs_of(detector, rule);
    rule.threshold = threshold_of(rule.needs);
  }

  // What the terms of a rule are placed for.
  struct Placing {
    uint32_t series = 0;
    RuleMask mask = 0;
    Direction direction = Direction::outbound;
    uint32_t first_sketch = 0;  // of its group
    std::string detector;
    bool tries_count = true;  // tries are a reason to judge

    RuleMask mask_of(const expr::CountTerm& term) const {
      return tries_count || !is_tries(term) ? mask : 0;
    }
  };

  std::vector<TermPlace> place_terms(const expr::CountCondition& condition,
                                     const Placing& placing) {
    std::vector<TermPlace> placed;
    for (const expr::CountTerm& term : condition.terms()) placed.push_back(place(term, placing));
    return placed;
  }

  TermPlace place(const expr::CountTerm& term, const Placing& placing) {
    TermPlace place{.kind = term.kind};
    switch (term.kind) {
      case expr::TermKind::count: place_count(term, placing, place); break;
      case expr::TermKind::distinct: {
        Sketch& sketch = sketch_for(SketchKind::distinct, term.text, placing, true, place.sketch);
        sketch.field = field_of(term);
        sketch.rows = {rows_of(term, placing)};
        feed(sketch, placing, 0);
        break;
      }
      case expr::TermKind::fresh: place_fed(SketchKind::known, term, placing, place); break;
      case expr::TermKind::in_order: place_fed(SketchKind::walk, term, placing, place); break;
      case expr::TermKind::usual:
      case expr::TermKind::spread: place_usual(term, placing, place); break;
      case expr::TermKind::climb: {
        // Each detector has its own, which is used up by its signals alone.
        const std::string text = term.text + "\n" + placing.detector;
        Sketch& sketch = sketch_for(SketchKind::climb, text, placing, true, place.sketch);
        sketch.steps = ClimbSteps::of(term.from, term.to);
        sketch.rows.clear();
        sketch.bad.clear();
        for (const auto& some : term.tries) sketch.rows.push_back(rows_of(some, placing));
        for (const auto& some : term.bad) sketch.bad.push_back(rows_of(some, placing));
        feed(sketch, placing, 0);
        break;
      }
    }
    return place;
  }

  void place_count(const expr::CountTerm& term, const Placing& placing, TermPlace& place) {
    place.tries = is_tries(term);
    if (!term.where.empty()) {
      ConditionedColumn& column = conditioned(term, placing);
      column.rules |= placing.mask_of(term);
      place.column[place.size++] = column.column;
      return;
    }
    Series& series = plan_.series[placing.series];
    for (const EventKind kind : kinds_of(term.count)) {
      place.column[place.size++] = static_cast<uint8_t>(kind);
      series.plain_rules[static_cast<size_t>(kind)] |= placing.mask_of(term);
    }
  }

  // A column that a sketch adds to.
  void place_fed(SketchKind kind, const expr::CountTerm& term, const Placing& placing,
                 TermPlace& place) {
    const uint8_t column = column_of(term, plan_.series[placing.series]).column;
    place.column[place.size++] = column;
    Sketch& sketch = sketch_for(kind, term.text, placing, false, place.sketch);
    sketch.field = field_of(term);
    sketch.rows = {rows_of(term, placing)};
    feed(sketch, placing, column);
  }

  void place_usual(const expr::CountTerm& term, const Placing& placing, TermPlace& place) {
    const std::string text = count_text(term);
    uint32_t index = 0;
    Sketch& baseline = sketch_for(SketchKind::baseline, text, placing, false, index);
    baseline.rows = {rows_of(term, placing)};
    feed(baseline, placing, 0);
    sketch_for(SketchKind::expectation, text, placing, true, place.sketch).baseline = index;
  }

  // The group's sketch of this kind and text, and of this series where it follows a window.
  Sketch& sketch_for(SketchKind kind, const std::string& text, const Placing& placing, bool follows,
                     uint32_t& index) {
    index = placing.first_sketch;
    for (; index < plan_.sketches.size(); ++index) {
      Sketch& sketch = plan_.sketches[index];
      if (sketch.kind == kind && sketch.text == text &&
          (!follows || sketch.series == placing.series)) {
        return sketch;
      }
    }
    if (follows) plan_.series[placing.series].sketches.push_back(index);
    return plan_.sketches.emplace_back(
        Sketch{.kind = kind, .series = follows ? placing.series : 0, .text = text});
  }

  static void feed(Sketch& sketch, const Placing& placing, uint8_t column) {
    auto found = std::ranges::find(sketch.feeds, placing.series, &Sketch::Feed::series);
    if (found == sketch.feeds.end()) {
      found = sketch.feeds.insert(found, {.series = placing.series, .column = column});
    }
    found->rules |= placing.mask;
  }

  static Field field_of(const expr::CountTerm& term) {
    WP_CHECK(term.field < kTextFields);
    return static_cast<Field>(term.field);
  }

  // The failures that a condition counts; `attempted` and its like count what went well, too.
  std::vector<Rows> failures_of(const expr::CountCondition& when, const Placing& placing) {
    std::vector<Rows> failures;
    const auto take = [&](const expr::CountTerm& term) {
      if (std::ranges::all_of(kinds_of(term.count), is_failure)) {
        failures.push_back(rows_of(term, placing));
      }
    };
    for (const expr::CountTerm& term : when.terms()) {
      if (term.kind == expr::TermKind::count) take(term);
      for (const expr::CountTerm& bad : term.bad) take(bad);
    }
    return failures;
  }

  Rows rows_of(const expr::CountTerm& term, const Placing& placing) {
    Rows rows;
    for (const EventKind kind : kinds_of(term.count)) rows.kinds |= 1U << static_cast<size_t>(kind);
    if (!term.where.empty()) rows.condition = wanted_condition(term, placing.direction);
    return rows;
  }

  // The column known by the term's text.
  ConditionedColumn& column_of(const expr::CountTerm& term, Series& series) {
    const auto found = std::ranges::find(series.conditioned, term.text, &ConditionedColumn::text);
    if (found != series.conditioned.end()) return *found;
    WP_CHECK(series.columns < kMostColumns);
    series.conditioned.push_back(
        {.text = term.text, .column = static_cast<uint8_t>(series.columns++)});
    return series.conditioned.back();
  }

  ConditionedColumn& conditioned(const expr::CountTerm& term, const Placing& placing) {
    Series& series = plan_.series[placing.series];
    const size_t before = series.conditioned.size();
    ConditionedColumn& column = column_of(term, series);
    if (series.conditioned.size() == before) return column;
    column.condition = wanted_condition(term, placing.direction);
    for (const EventKind kind : kinds_of(term.count)) {
      series.of_kind[static_cast<size_t>(kind)].push_back(static_cast<uint8_t>(before));
    }
    return column;
  }

  // Its condition, decided for each event that may count for it.
  uint32_t wanted_condition(const expr::CountTerm& term, Direction direction) {
    const uint32_t condition = condition_of(term.where.front());
    for (const EventKind kind : kinds_of(term.count)) {
      auto& wanted = plan_.conditions_of[static_cast<size_t>(direction)][static_cast<size_t>(kind)];
      if (std::ranges::find(wanted, condition) == wanted.end()) wanted.push_back(condition);
    }
    return condition;
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
      if (plan_.groups[group].has_cohorts()) plan_.has_cohorts[direction] = true;
      if (plan_.groups[group].sketches.has_baselines) plan_.has_baselines[direction] = true;
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
