// Cohorts: mail by the time it was sent, judged by what has come of it so far.
#include "detect/watch_state.h"

#include <algorithm>
#include <bit>

#include <fmt/format.h>

namespace watchpost::detect {
namespace {

bool has_slot(const Slots& slots, int64_t last, int64_t slot) {
  return std::ranges::any_of(slots.cells(),
                             [&](const Cell& cell) { return slot_of_cell(cell, last) == slot; });
}

}  // namespace

void WatchState::learn_lag(const Event& event, const Moment& moment) {
  constexpr Duration kLongest = std::chrono::days(30);  // more says that the stamp is wrong
  const Duration lag = moment.at - moment.sent;
  if (lag <= Duration::zero() || lag > kLongest) return;
  const bool complaint = event.kind == EventKind::complained;
  if (!complaint && event.kind != EventKind::bounced) return;
  lags.saw(event.direction, complaint ? LagKind::complaints : LagKind::bounces,
           event[Field::provider], lag);
}

// The numbers of some cohorts; mail counts as far as what it leads to should have come by now: a
// young cohort with as many complaints as an old one is the worse.
Evidence WatchState::evidence_of(const Cohorts& cohorts) {
  const Rule& rule = plan.rules[cohorts.rule];
  const Series& series = plan.series[rule.series];
  const Group& group = plan.groups[rule.group];
  const StreamRecord& record = table[cohorts.stream];
  std::string_view provider;
  if (group.has_provider) {
    const auto at = std::ranges::find(group.dimensions, Field::provider);
    provider = table.values(record)[static_cast<size_t>(at - group.dimensions.begin())];
  }
  std::fill_n(own.begin(), series.columns, 0);
  std::fill_n(tries.begin(), series.columns, 0);
  const int64_t newest = now[rule.series].slot;
  std::optional<int64_t> slot;
  bool counts = false;
  double arrived = 1;
  for (const Cell& cell : record.slots(rule.series - group.first_series).cells()) {
    const int64_t of = slot_of_cell(cell, newest);
    if (slot != of) {
      slot = of;
      counts = of >= std::max(cohorts.first, counts_from[cohorts.rule]) && of <= cohorts.last &&
               (cohorts.used == nullptr || !has_slot(cohorts.used->before, newest, of));
      if (!counts) continue;
      const Time begins = start_of(of, series.shape);
      const Time ends = std::min(start_of(of + 1, series.shape), clock.newest());
      const Time middle = begins + (ends - begins) / 2;
      arrived = lags.arrived(group.direction, rule.lag, provider, clock.newest() - middle);
    }
    if (!counts) continue;
    own[cell.column] += cell.count;
    tries[cell.column] += cell.count * arrived;
  }
  return {.sums = own.data(), .tries = tries.data(), .last = newest, .newest = newest};
}

bool WatchState::fires(const Moment& moment, const Cohorts& cohorts, std::vector<Signal>& out) {
  const Evidence evidence = evidence_of(cohorts);
  if (!holds(cohorts.rule, evidence)) return false;
  const uint32_t series = plan.rules[cohorts.rule].series;
  const WindowShape& shape = plan.series[series].shape;
  Signal signal = signal_of(moment.at, cohorts.stream, cohorts.rule, evidence);
  signal.since = start_of(std::max(cohorts.first, counts_from[cohorts.rule]), shape);
  const Time until = std::min(start_of(cohorts.last + 1, shape), clock.newest());
  signal.because +=
      fmt::format("; of mail sent from {} to {}, counted as far as results should have come by now",
                  format_time(signal.since), format_time(until));
  put(std::move(signal), cohorts.rule, out);
  use_up(cohorts.stream, cohorts.rule, cohorts.first, cohorts.last);
  note(cohorts.stream, cohorts.rule).firing = true;
  return true;
}

// From now on these cohorts are no evidence for the rule any more.
void WatchState::use_up(uint32_t stream, uint32_t index, int64_t first, int64_t last) {
  const Rule& rule = plan.rules[index];
  const Series& series = plan.series[rule.series];
  const int64_t newest = now[rule.series].slot;
  Noted& known = note(stream, index);
  const auto use = [&](int64_t slot) {
    if (has_slot(known.before, newest, slot)) return;
    known.before.add(newest, slot, 0, series.columns, table.memory());
  };
  const Slots& slots = table[stream].slots(rule.series - plan.groups[rule.group].first_series);
  for (const Cell& cell : slots.cells()) {
    const int64_t slot = slot_of_cell(cell, newest);
    if (slot >= first && slot <= last) use(slot);
  }
  if (last == newest) use(newest);
}

// Each cohort is evidence once: mail that went well later does not thin a bad one, and what is
// known of a bad one does not speak against later ones.
void WatchState::judge_cohorts(const Moment& moment, uint32_t stream, uint32_t series,
                               RuleMask rules, std::vector<Signal>& out) {
  const WindowShape& shape = plan.series[series].shape;
  const int64_t newest = now[series].slot;
  const int64_t touched = shape.slot_of(second_of(moment.sent));
  for (; rules != 0; rules &= rules - 1) {
    const uint32_t rule = plan.series[series].rules[static_cast<size_t>(std::countr_zero(rules))];
    const Noted* const known = table[stream].noted ? notes.find(stream, rule) : nullptr;
    if (known != nullptr && has_slot(known->before, newest, touched)) continue;
    const Cohorts one{rule, stream, touched, touched, nullptr};
    if (fires(moment, one, out) || touched <= newest - kCohortsTogether) continue;
    fires(moment,
          {rule, stream, newest - std::min(kCohortsTogether, shape.slots) + 1, newest, known}, out);
  }
}

}  // namespace watchpost::detect
