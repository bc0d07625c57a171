#include "investigate/races.h"

#include "decide/scope.h"

#include <algorithm>
#include <map>
#include <utility>

namespace watchpost::investigate {

void Races::mail(const Event& event) {
  if (running_ == 0 || event.self_inflicted || !MailCount::is_mail(event.kind)) return;
  races_.for_each_holding(event, [&](Race& race) {
    if (race.running) race.between.add(event.kind);
  });
}

void Races::found(size_t set, const Stream& subject, Time at, const std::string& detector) {
  if (races_.size() >= kMost && races_.find(subject) == nullptr) {
    make_room(at);
    if (races_.size() >= kMost) return;
  }
  Race& race = races_.at(subject);
  if (!race.found.subject.empty() && at - race.last_at > join_) {
    finish(finished_, race);
    running_ -= race.running ? 1 : 0;
    race = Race{};
  }
  if (race.found.subject.empty()) {
    race.found.subject = subject;
    race.found.fairness = verdicts_.of(subject, at);
    race.last_at = at;
  }
  race.last_at = std::max(race.last_at, at);
  if (race.found.first[set]) return;
  race.found.first[set] = Found::First{at, detector};
  const bool running = !race.found.first[1 - set].has_value();
  running_ += running && !race.running ? 1 : 0;
  running_ -= !running && race.running ? 1 : 0;
  race.running = running;
}

void Races::make_room(Time now) {
  races_.erase_if([&](const Race& race) {
    if (now - race.last_at <= join_) return false;
    finish(finished_, race);
    running_ -= race.running ? 1 : 0;
    return true;
  });
}

void Races::finish(Difference& difference, const Race& race) {
  const auto& [first, second] = race.found.first;
  if (first && second) {
    ++difference.both;
    difference.sooner += first->at < second->at ? 1 : 0;
    difference.same += first->at == second->at ? 1 : 0;
    difference.later += first->at > second->at ? 1 : 0;
  } else {
    difference.only_first += first ? 1 : 0;
    difference.only_second += second ? 1 : 0;
  }
  if (difference.found.size() >= Difference::kKept) return;
  Found& kept = difference.found.emplace_back(race.found);
  kept.messages = first && second ? race.between.messages() : 0;
}

Difference Races::result() const {
  Difference difference = finished_;
  races_.for_each([&](const Race& race) { finish(difference, race); });
  std::ranges::sort(difference.found, {}, [](const Found& found) {
    const auto at = [](const std::optional<Found::First>& first) {
      return first ? first->at : Time::max();
    };
    return std::pair(std::min(at(found.first[0]), at(found.first[1])), found.subject);
  });
  return difference;
}

void count_alone(RuleSetReport& report, const Difference& difference, size_t set, Duration join) {
  std::multimap<std::string, Time> alone;
  for (const Found& found : difference.found) {
    if (!found.first[set] || found.first[1 - set]) continue;
    alone.emplace(decide::canonical(found.subject), found.first[set]->at);
  }
  std::map<std::string_view, uint64_t> counts;
  for (const Hit& hit : report.hits) {
    const auto [from, to] = alone.equal_range(decide::canonical(hit.subject));
    const bool is_alone = std::any_of(from, to, [&](const auto& one) {
      return one.second <= hit.last_at && hit.at <= one.second + join;
    });
    counts[hit.detector] += is_alone ? 1 : 0;
  }
  for (DetectorReport& detector : report.detectors) detector.alone = counts[detector.detector];
}

}  // namespace watchpost::investigate
