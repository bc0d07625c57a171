#include "detect/effects.h"

#include "expr/event_schema.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace watchpost::detect {
namespace {

// Those of which an operator's mail has few different texts, again and again. Of others, such as
// recipients, hardly any is met twice while it is remembered.
constexpr std::array kFewTexts{Field::source,   Field::host,          Field::service,
                               Field::provider, Field::class_,        Field::status,
                               Field::stage,    Field::class_rule,    Field::outcome,
                               Field::method,   Field::client_country};

// The texts that decide about a condition, a bit for each field; nothing where other things do, or
// texts of which there are many.
std::optional<uint64_t> few_texts_of(const expr::RowCondition& condition) {
  uint64_t all = 0;
  for (const size_t field : condition.fields()) {
    const auto texts = expr::texts_behind(field);
    if (!texts) return std::nullopt;
    all |= *texts;
  }
  for (const FieldInfo& info : watchpost::fields()) {
    const bool asked = (all >> static_cast<size_t>(info.field) & 1) != 0;
    if (asked && std::ranges::find(kFewTexts, info.field) == kFewTexts.end()) return std::nullopt;
  }
  return all;
}

}  // namespace

bool Effect::counts_for(std::span<const Rows> rows, EventKind kind) const {
  return std::ranges::any_of(rows, [&](const Rows& some) {
    return (some.kinds >> static_cast<size_t>(kind) & 1) != 0 &&
           (some.condition == Rows::kAll || holds[some.condition] != 0);
  });
}

Effects::Effects(const Plan& plan) : plan_(plan), remembered_(kRemembered) {
  uint32_t number = 0;
  for (size_t direction = 0; direction < kinds_.size(); ++direction) {
    for (size_t kind = 0; kind < kEventKinds; ++kind) {
      Kind& made = kinds_[direction][kind];
      made.number = number++;
      uint64_t all = 0;
      for (const uint32_t condition : plan.conditions_of[direction][kind]) {
        const auto texts = few_texts_of(plan.conditions[condition]);
        if (texts)
          all |= *texts;
        else
          made.asked_anew.push_back(condition);
      }
      for (const FieldInfo& info : watchpost::fields()) {
        if ((all >> static_cast<size_t>(info.field) & 1) != 0) made.fields.push_back(info.field);
      }
    }
  }
}

uint64_t Effects::answers(const Event& event, const Kind& kind) const {
  const expr::EventRow row(event);
  uint64_t bits = 0;
  for (const uint32_t condition : kind.asked_anew) {
    const bool holds = plan_.conditions[condition].evaluate(row) == expr::Truth::yes;
    bits = bits << 1 | (holds ? 1 : 0);
  }
  return bits;
}

const Effect& Effects::worked_out(const Event& event, const Kind& kind) {
  const auto& wanted =
      plan_.conditions_of[static_cast<size_t>(event.direction)][static_cast<size_t>(event.kind)];
  Holds holds(plan_.conditions.size(), 0);
  const expr::EventRow row(event);
  for (const uint32_t condition : wanted) {
    holds[condition] = plan_.conditions[condition].evaluate(row) == expr::Truth::yes;
  }
  const std::pair key(kind.number, std::move(holds));
  const auto found = effects_.find(key);
  if (found != effects_.end()) return *found->second;
  if (effects_.size() == kMost) {
    std::ranges::fill(remembered_, Remembered{});
    effects_.clear();
  }
  auto made = std::make_unique<const Effect>(effect_of(event, key.second));
  return *effects_.emplace(key, std::move(made)).first->second;
}

Effect Effects::effect_of(const Event& event, Holds holds) const {
  Effect effect{.holds = std::move(holds)};
  effect.series.resize(plan_.series.size());
  effect.groups.resize(plan_.groups.size());
  add_series(effect, event.kind);
  add_sketches(effect, event.kind);
  return effect;
}

void Effects::add_series(Effect& effect, EventKind kind) const {
  for (size_t index = 0; index < plan_.series.size(); ++index) {
    const Series& series = plan_.series[index];
    Effect::InSeries& some = effect.series[index];
    some.first = static_cast<uint32_t>(effect.columns.size());
    some.rules = series.plain_rules[static_cast<size_t>(kind)];
    effect.columns.push_back(static_cast<uint8_t>(kind));
    for (const uint8_t place : series.of_kind[static_cast<size_t>(kind)]) {
      const ConditionedColumn& column = series.conditioned[place];
      if (effect.holds[column.condition] == 0) continue;
      effect.columns.push_back(column.column);
      some.rules |= column.rules;
    }
    some.size = static_cast<uint32_t>(effect.columns.size()) - some.first;
    some.raises = raised_by(series, effect.columns_in(some));
  }
}

RuleMask Effects::raised_by(const Series& series, std::span<const uint8_t> columns) const {
  RuleMask raised = 0;
  for (size_t i = 0; i < series.rules.size(); ++i) {
    const std::optional<NeedPlace>& threshold = plan_.rules[series.rules[i]].threshold;
    const auto counts = [&](uint8_t column) { return threshold->counts(column); };
    if (threshold && std::ranges::any_of(columns, counts)) raised |= RuleMask{1} << i;
  }
  return raised;
}

void Effects::add_sketches(Effect& effect, EventKind kind) const {
  for (size_t index = 0; index < plan_.groups.size(); ++index) {
    const SketchLayout& layout = plan_.groups[index].sketches;
    Effect::InGroup& some = effect.groups[index];
    some.first = static_cast<uint32_t>(effect.sketches.size());
    for (uint32_t i = layout.first; i < layout.first + layout.size; ++i) {
      const Sketch& sketch = plan_.sketches[i];
      const bool bad = effect.counts_for(sketch.bad, kind);
      if (bad || effect.counts_for(sketch.rows, kind)) effect.sketches.push_back({i, bad});
    }
    some.size = static_cast<uint32_t>(effect.sketches.size()) - some.first;
  }
}

}  // namespace watchpost::detect
