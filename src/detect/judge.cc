#include "detect/watch_state.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace watchpost::detect {
namespace {

// What Signal::messages says; `sums` are those of a window.
uint64_t messages_in(const uint64_t* sums) {
  const auto of = [&](EventKind kind) { return sums[static_cast<size_t>(kind)]; };
  if (const uint64_t accepted = of(EventKind::accepted); accepted > 0) return accepted;
  return of(EventKind::delivered) + of(EventKind::deferred) + of(EventKind::bounced);
}

// The evidence of a climb goes down to nothing: what comes after is another one.
bool is_used_up(const WatchState& state, uint32_t rule, Evidence evidence) {
  evidence.firing = false;
  const std::vector<TermPlace>& terms = state.plan.rules[rule].when;
  const auto is_climb = [](const TermPlace& term) { return term.kind == expr::TermKind::climb; };
  return std::ranges::any_of(terms, is_climb) &&
         std::ranges::all_of(terms, [&](const TermPlace& term) {
           return !is_climb(term) || state.value_of(term, evidence) == 0;
         });
}

}  // namespace

// Whoever fires, or was judged before, is worth more room than one who only came by.
Noted& WatchState::note(uint32_t stream, uint32_t rule) {
  table[stream].noted = true;
  table[stream].heat = StreamRecord::kHottest;
  return notes.add(stream, rule);
}

std::vector<NotedRule> WatchState::noted_of(uint32_t stream, uint32_t series) {
  std::vector<NotedRule> rules;
  for (const uint32_t rule : plan.series[series].rules) {
    if (Noted* const known = notes.find(stream, rule)) rules.push_back({rule, known});
  }
  return rules;
}

void WatchState::slide(uint32_t stream, uint32_t series, Slots& slots) {
  StreamRecord& record = table[stream];
  if (record.last_at >= now[series].begins) return;
  const WindowShape& shape = plan.series[series].shape;
  const int64_t last = shape.slot_of(second_of(record.last_at));
  const bool sketches = plan.groups[record.group].sketches.bytes != 0;
  if (!record.noted) {
    slots.slide(last, now[series].slot, shape.slots, table.memory());
    if (sketches) slide_sketches(record, series, last);
    return;
  }
  const std::vector<NotedRule> rules = noted_of(stream, series);
  slide_noted({series, last, table.sketches(std::as_const(record))}, slots, rules, table.memory());
  if (sketches) slide_sketches(record, series, last);
  for (const NotedRule& known : rules) {
    const Noted& noted = *known.noted;
    if (!noted.firing && noted.before.empty() &&
        !noted.is_quiet(clock.newest(), plan.rules[known.rule].quiet)) {
      notes.remove(stream, known.rule);
    }
  }
}

void WatchState::slide_noted(const Sliding& from, Slots& slots, std::span<const NotedRule> rules,
                             Memory& memory) {
  const auto& [series, last, sketches] = from;
  const int64_t length = plan.series[series].shape.slots;
  while (!slots.empty()) {
    const int64_t step = slots.oldest(last) + length;  // where the oldest cells leave the window
    if (step > now[series].slot) return;
    slots.slide(last, step, length, memory);
    const uint64_t* const sums = plain_sums(slots, plan.series[series].columns);
    for (const auto& [rule, known] : rules) {
      known->before.slide(last, step, length, memory);
      if (!known->firing) continue;
      const Evidence evidence{.sums = sums,
                              .sketches = sketches,
                              .last = last,
                              .newest = step,
                              .values_from = known->values_from,
                              .firing = true};
      if (slots.empty() || !still_holds(rule, slots, known, evidence)) {
        known->stop_firing(start_of(step, plan.series[series].shape));
      }
    }
  }
  // A window without events holds nothing against anybody, whatever the condition says of zeros.
  for (const NotedRule& known : rules) {
    known.noted->stop_firing(now[series].begins);
    known.noted->before.clear(memory);
  }
}

bool WatchState::still_holds(uint32_t rule, const Slots& slots, const Noted* known,
                             Evidence evidence) {
  // Of cohorts that fired the evidence is used up: it fires until they have left the window.
  if (plan.series[plan.rules[rule].series].is_cohort()) return !known->before.empty();
  evidence.sums = sums_for(rule, slots, evidence.sums, known, evidence.newest);
  return holds(rule, evidence);
}

const uint64_t* WatchState::plain_sums(const Slots& slots, size_t columns) {
  if (const uint64_t* const kept = slots.sums()) return kept;
  std::fill_n(plain.begin(), columns, 0);
  slots.sum_up(plain);
  return plain.data();
}

const uint64_t* WatchState::sums_for(uint32_t index, const Slots& slots, const uint64_t* all,
                                     const Noted* known, int64_t newest) {
  const Series& series = plan.series[plan.rules[index].series];
  const int64_t from = counts_from[index];
  const bool whole = from <= newest - series.shape.slots + 1;
  if (whole && (known == nullptr || known->before.empty())) return all;
  std::fill_n(own.begin(), series.columns, 0);
  const auto counts = [&](const Cell& cell) { return whole || slot_of_cell(cell, newest) >= from; };
  for (const Cell& cell : slots.cells()) {
    if (counts(cell)) own[cell.column] += cell.count;
  }
  if (known != nullptr) {
    for (const Cell& cell : known->before.cells()) {
      if (counts(cell)) own[cell.column] -= cell.count;
    }
  }
  return own.data();
}

std::span<const double> WatchState::values_of(const std::vector<TermPlace>& terms,
                                              const Evidence& evidence) {
  values.resize(terms.size());
  double* to = values.data();
  for (const TermPlace& term : terms) {
    const bool is_sum = term.size != 0 && term.kind != expr::TermKind::fresh;
    if (!is_sum || evidence.tries != nullptr) {
      *to++ = value_of(term, evidence);
      continue;
    }
    uint64_t sum = evidence.sums[term.column[0]];
    for (uint8_t i = 1; i < term.size; ++i) sum += evidence.sums[term.column[i]];
    *to++ = static_cast<double>(sum);
  }
  return values;
}

bool WatchState::is_met(const NeedPlace& need, const Evidence& evidence) const {
  if (need.size == 0) return value_of(need.term, evidence) >= need.least;
  const auto sum = [&](const std::array<uint8_t, NeedPlace::kMost>& columns, uint8_t size) {
    uint64_t all = 0;
    for (uint8_t i = 0; i < size; ++i) all += evidence.sums[columns[i]];
    return static_cast<double>(all);
  };
  double least = need.least;
  if (need.among_size != 0) least *= sum(need.among, need.among_size);
  if (need.of_usual) least *= value_of(need.term, evidence);
  return sum(need.column, need.size) >= least;
}

bool WatchState::may_hold(uint32_t index, const Evidence& evidence) const {
  for (const NeedPlace& need : plan.rules[index].needs) {
    if (!is_met(need, evidence)) return false;
  }
  return true;
}

// A guard asks for so much evidence, not for so much of what may come: its numbers are as counted.
bool WatchState::guard_holds(uint32_t index, const Evidence& evidence) {
  const Rule& rule = plan.rules[index];
  const Detector& detector = plan.detectors[rule.detector];
  if (detector.guard.empty()) return true;
  Evidence counted = evidence;
  counted.tries = nullptr;
  return detector.guard.front().holds(values_of(rule.guard, counted), detector.error_rate);
}

bool WatchState::holds(uint32_t index, const Evidence& evidence) {
  // What cohorts have tried is scaled: their needs are others.
  if (evidence.tries == nullptr && !may_hold(index, evidence)) return false;
  return conditions_hold(index, evidence);
}

bool WatchState::conditions_hold(uint32_t index, const Evidence& evidence) {
  if (!guard_holds(index, evidence)) return false;
  const Rule& rule = plan.rules[index];
  const Detector& detector = plan.detectors[rule.detector];
  return detector.when.holds(values_of(rule.when, evidence), detector.error_rate);
}

void WatchState::judge(Time at, uint32_t stream, uint32_t series, RuleMask rules,
                       std::vector<Signal>& out) {
  StreamRecord& record = table[stream];
  Slots& slots = record.slots(series - plan.groups[record.group].first_series);
  const uint64_t* const all = plain_sums(slots, plan.series[series].columns);
  const int64_t newest = now[series].slot;
  const bool sketches = plan.groups[record.group].sketches.bytes != 0;
  Evidence evidence{
      .sketches = sketches ? table.sketches(record) : nullptr, .last = newest, .newest = newest};
  // The note has a bit for each rule that is not known to be below its threshold.
  slots.set_note(slots.note() | rules);
  for (; rules != 0; rules &= rules - 1) {
    const uint32_t rule = plan.series[series].rules[static_cast<size_t>(std::countr_zero(rules))];
    Noted* const known = record.noted ? notes.find(stream, rule) : nullptr;
    evidence.sums = sums_for(rule, slots, all, known, newest);
    const std::optional<NeedPlace>& threshold = plan.rules[rule].threshold;
    if (!record.noted && threshold && !is_met(*threshold, evidence)) {
      slots.set_note(slots.note() & ~(rules & -rules));
      continue;
    }
    evidence.firing = known != nullptr && known->firing;
    evidence.values_from = known != nullptr ? known->values_from : kAllSlots;
    if (!may_hold(rule, evidence) || !conditions_hold(rule, evidence)) {
      if (known == nullptr) continue;
      known->stop_firing(clock.newest());
      if (is_used_up(*this, rule, evidence)) known->quiet_since.reset();
      if (known->before.empty() && !known->is_quiet(clock.newest(), plan.rules[rule].quiet))
        notes.remove(stream, rule);
      continue;
    }
    if (evidence.firing) continue;
    const bool again = known != nullptr && known->is_quiet(clock.newest(), plan.rules[rule].quiet);
    if (!again) put(signal_of(at, stream, rule, evidence), rule, out);
    Noted& noted = note(stream, rule);
    noted.firing = true;
    noted.quiet_since.reset();
  }
}

// Signals of one event stand in the order of the detectors, whatever the groups' order.
void WatchState::put(Signal signal, uint32_t rule, std::vector<Signal>& out) {
  const auto place = std::ranges::upper_bound(fired, rule) - fired.begin();
  const auto first = out.end() - static_cast<std::ptrdiff_t>(fired.size());
  out.insert(first + place, std::move(signal));
  fired.insert(fired.begin() + place, rule);
}

std::vector<std::pair<std::string, double>> WatchState::counts_of(uint32_t index,
                                                                  const Evidence& evidence) {
  const Rule& rule = plan.rules[index];
  const Detector& detector = plan.detectors[rule.detector];
  Evidence counted = evidence;
  counted.tries = nullptr;
  std::vector<std::pair<std::string, double>> counts;
  const auto take = [&](const expr::CountCondition& condition,
                        const std::vector<TermPlace>& terms) {
    const std::span<const double> numbers = values_of(terms, counted);
    for (size_t i = 0; i < numbers.size(); ++i) {
      const expr::CountTerm& term = condition.terms()[i];
      // No word of the language, and unknown is no number.
      if (term.kind == expr::TermKind::spread || std::isnan(numbers[i])) continue;
      const std::string& text = term.text;
      if (std::ranges::find(counts, text, &std::pair<std::string, double>::first) == counts.end()) {
        counts.emplace_back(text, numbers[i]);
      }
    }
  };
  take(detector.when, rule.when);
  for (const auto& guard : detector.guard) take(guard, rule.guard);
  return counts;
}

Stream WatchState::stream_of(const Rule& rule, const StreamRecord& record) const {
  const std::vector<std::string_view> texts = table.values(record);
  Stream stream;
  for (const uint8_t place : rule.order) {
    stream.parts.push_back({plan.groups[rule.group].dimensions[place], std::string(texts[place])});
  }
  return stream;
}

Signal WatchState::signal_of(Time at, uint32_t stream, uint32_t index, const Evidence& evidence) {
  const Rule& rule = plan.rules[index];
  const Detector& detector = plan.detectors[rule.detector];
  const WindowShape& shape = plan.series[rule.series].shape;
  const int64_t first = std::max(now[rule.series].slot - shape.slots + 1, counts_from[index]);
  Time since{std::chrono::seconds(first * shape.width)};
  const Noted* const known = table[stream].noted ? notes.find(stream, index) : nullptr;
  if (known != nullptr && !known->before.empty()) since = std::max(since, known->since);
  Signal signal{.at = at,
                .detector = detector.name,
                .detector_version = detector.version,
                .mode = detector.mode,
                .stream = stream_of(rule, table[stream]),
                .since = since};
  signal.messages = messages_in(evidence.sums);
  signal.counts = counts_of(index, evidence);
  const std::span<const double> numbers = values_of(rule.when, evidence);
  const expr::Judgement judged = detector.when.evaluate(numbers, detector.error_rate);
  signal.value = judged.value;
  signal.threshold = judged.threshold;
  signal.because =
      fmt::format("{}", fmt::join(detector.when.explain(numbers, detector.error_rate), "; "));
  signal.then = detector.then;
  signal.escalate = detector.escalate;
  signal.suggests = detector.suggests;
  return signal;
}

}  // namespace watchpost::detect
