#include "decide/past.h"

#include "decide/scope.h"

#include <algorithm>
#include <set>

namespace watchpost::decide {

void PastMeasures::add(const Stream& subject, PastMeasure past) {
  std::string key = canonical(subject);
  order_.emplace_back(past.from, key);
  by_subject_[std::move(key)].push_back(std::move(past));
  ++size_;
  if (order_.size() > kMost) forget_before(order_[order_.size() - kMost].first);
}

std::vector<PastMeasure>* PastMeasures::of(const Stream& subject) {
  const auto found = by_subject_.find(canonical(subject));
  return found == by_subject_.end() ? nullptr : &found->second;
}

void PastMeasures::end(const Stream& subject, DecisionId decision) {
  std::vector<PastMeasure>* const all = of(subject);
  if (all == nullptr) return;
  for (PastMeasure& past : *all) past.ended = past.ended || past.decision == decision;
}

void PastMeasures::forget(const Stream& subject, DecisionId decision) {
  const auto found = by_subject_.find(canonical(subject));
  if (found == by_subject_.end()) return;
  size_ -= std::erase_if(found->second,
                         [&](const PastMeasure& past) { return past.decision == decision; });
  if (found->second.empty()) by_subject_.erase(found);
}

void PastMeasures::forget(IncidentId incident) {
  for (auto& [subject, all] : by_subject_) {
    size_ -= std::erase_if(all, [&](const PastMeasure& past) { return past.incident == incident; });
  }
  std::erase_if(by_subject_, [](const auto& one) { return one.second.empty(); });
}

std::vector<PastMeasure> PastMeasures::before(const Stream& subject, Time oldest,
                                              Time since) const {
  std::vector<PastMeasure> out;
  const auto found = by_subject_.find(canonical(subject));
  if (found == by_subject_.end()) return out;
  for (const PastMeasure& past : found->second) {
    if (past.from <= oldest || (!past.ended && past.from >= since)) continue;
    if (!out.empty() && past.from < out.back().until) {
      PastMeasure& same = out.back();
      same.until = std::max(same.until, past.until);
      if (stricter(past.measure, same.measure)) same.measure = past.measure;
    } else {
      out.push_back(past);
    }
  }
  return out;
}

bool PastMeasures::warned_since(const Stream& subject, Time since) const {
  const auto found = by_subject_.find(canonical(subject));
  return found != by_subject_.end() &&
         std::ranges::any_of(found->second, [&](const PastMeasure& past) {
           return past.measure.kind == MeasureKind::notify && past.from >= since;
         });
}

size_t PastMeasures::incidents(const Stream& subject, Time oldest, IncidentId but) const {
  const auto found = by_subject_.find(canonical(subject));
  if (found == by_subject_.end()) return 0;
  std::set<IncidentId> all;
  for (const PastMeasure& past : found->second) {
    if (past.from > oldest && past.incident != but) all.insert(past.incident);
  }
  return all.size();
}

void PastMeasures::forget_before(Time oldest) {
  while (!order_.empty() && order_.front().first <= oldest) {
    const auto found = by_subject_.find(order_.front().second);
    order_.pop_front();
    if (found == by_subject_.end()) continue;
    size_ -=
        std::erase_if(found->second, [&](const PastMeasure& past) { return past.from <= oldest; });
    if (found->second.empty()) by_subject_.erase(found);
  }
}

}  // namespace watchpost::decide
