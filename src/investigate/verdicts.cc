#include "investigate/verdicts.h"

#include "decide/scope.h"

#include <algorithm>
#include <map>
#include <utility>

namespace watchpost::investigate {
namespace {

// Zero within the time that was judged.
Duration distance(const JudgedStream& judged, Time at) {
  if (at < judged.from) return judged.from - at;
  return at > judged.until ? at - judged.until : Duration{0};
}

// Of two that cover a time the nearer one, and of two equally near the shorter one, says more of
// it.
bool better(const JudgedStream& a, const JudgedStream& b, Time at) {
  const auto rank = [&](const JudgedStream& one) {
    return std::pair(distance(one, at), one.until - one.from);
  };
  return rank(a) < rank(b);
}

JudgedStream judged_by(const Incident& incident) {
  JudgedStream judged{.stream = incident.subject,
                      .from = incident.opened_at,
                      .until = incident.opened_at,
                      .verdict = incident.verdict,
                      .incident = incident.id};
  for (const Evidence& evidence : incident.evidence) {
    judged.from = std::min({judged.from, evidence.signal.since, evidence.signal.at});
    judged.until = std::max(judged.until, evidence.signal.at);
  }
  return judged;
}

}  // namespace

Fairness fairness_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::none: return Fairness::unknown;
    case Verdict::compromised:
    case Verdict::bad_list:
    case Verdict::abusive_customer:
    case Verdict::content: return Fairness::rightly;
    case Verdict::receiver_fault:
    case Verdict::monitoring_fault:
    case Verdict::false_positive: return Fairness::wrongly;
  }
  return Fairness::unknown;
}

std::vector<JudgedStream> judged_streams(const std::vector<Incident>& incidents,
                                         const std::vector<Decision>& decisions) {
  std::map<IncidentId, Time> ends;
  for (const Decision& decision : decisions) {
    Time& end = ends.try_emplace(decision.incident, Time::min()).first->second;
    end = std::max(end, decision.ended_at.value_or(decision.until));
  }
  std::vector<JudgedStream> judged;
  for (const Incident& incident : incidents) {
    if (incident.verdict == Verdict::none || incident.subject.empty()) continue;
    JudgedStream one = judged_by(incident);
    if (const auto end = ends.find(incident.id); end != ends.end()) {
      one.until = std::max(one.until, end->second);
    }
    judged.push_back(std::move(one));
  }
  return judged;
}

Verdicts::Verdicts(std::vector<JudgedStream> judged, Duration margin, bool complete)
    : judged_(std::move(judged)), margin_(margin), complete_(complete) {
  for (size_t i = 0; i < judged_.size(); ++i) by_stream_.at(judged_[i].stream).push_back(i);
}

Fairness Verdicts::of(const Event& event) {
  const JudgedStream* best = nullptr;
  by_stream_.for_each_holding(event, [&](const std::vector<size_t>& places) {
    for (const size_t place : places) {
      const JudgedStream& judged = judged_[place];
      if (distance(judged, event.at) > margin_) continue;
      if (best == nullptr || better(judged, *best, event.at)) best = &judged;
    }
  });
  if (best != nullptr) return fairness_of(best->verdict);
  return complete_ ? Fairness::wrongly : Fairness::unknown;
}

const JudgedStream* Verdicts::about(const Stream& stream, Time at) const {
  const JudgedStream* best = nullptr;
  for (const JudgedStream& judged : judged_) {
    if (distance(judged, at) > margin_) continue;
    if (!decide::contains(judged.stream, stream) && !decide::contains(stream, judged.stream)) {
      continue;
    }
    if (best == nullptr || better(judged, *best, at)) best = &judged;
  }
  return best;
}

Fairness Verdicts::of(const Stream& stream, Time at) const {
  if (const JudgedStream* const judged = about(stream, at)) return fairness_of(judged->verdict);
  return complete_ ? Fairness::wrongly : Fairness::unknown;
}

}  // namespace watchpost::investigate
