#include "investigate/hits.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace watchpost::investigate {
namespace {

// The lower one of two in the middle: a value that was really there.
template <class Value>
Value median_of(std::vector<Value>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

void add_times(DetectorReport& report, std::vector<Duration> took, std::vector<uint64_t> messages) {
  if (took.empty()) return;
  report.worst_took = std::ranges::max(took);
  report.median_took = median_of(took);
  report.worst_messages = std::ranges::max(messages);
  report.median_messages = median_of(messages);
}

}  // namespace

size_t Hits::add_detector(std::string name, Mode mode) {
  detectors_.push_back({.name = std::move(name), .mode = mode});
  return detectors_.size() - 1;
}

Hash128 Hits::key_of(size_t detector, const Stream& stream) {
  return hash128(fmt::format("{} {}", detector, stream.text()));
}

Hit* Hits::found(const Sign& sign) {
  Detector& detector = detectors_[sign.detector];
  const Hash128 key = key_of(sign.detector, sign.stream);
  const auto known = last_.find(key);
  if (known != last_.end() && sign.at - known->second.at <= join_) {
    Last& last = known->second;
    last.at = std::max(last.at, sign.at);
    if (last.hit == kNotKept) return nullptr;
    ++hits_[last.hit].signals;
    hits_[last.hit].last_at = last.at;
    return nullptr;
  }
  ++detector.hits;
  if (known == last_.end()) ++detector.streams;
  const Fairness fairness = verdicts_.of(sign.stream, sign.at);
  detector.rightly += fairness == Fairness::rightly ? 1 : 0;
  detector.wrongly += fairness == Fairness::wrongly ? 1 : 0;
  const bool kept = hits_.size() < kMostHits;
  if (known != last_.end() || last_.size() < kMostStreams) {
    last_[key] = {sign.at, kept ? hits_.size() : kNotKept};
  }
  if (!kept) return nullptr;
  Hit& hit = hits_.emplace_back();
  hit.detector = detector.name;
  hit.stream = sign.stream;
  hit.at = hit.last_at = sign.at;
  hit.because = sign.because;
  hit.fairness = fairness;
  if (const JudgedStream* const judged = verdicts_.about(sign.stream, sign.at)) {
    hit.verdict = judged->verdict;
    hit.incident = judged->incident;
  }
  hit_detectors_.push_back(sign.detector);
  ledgers_.emplace_back();
  return &hit;
}

void Hits::decided(const Decision& decision, size_t index, const Stream& stream) {
  // A step of the return after a measure belongs to that measure.
  const bool counts = decision.pace == 0;
  const bool proposed = decision.state == DecisionState::proposed;
  Detector& detector = detectors_[index];
  detector.decisions += counts && !proposed ? 1 : 0;
  detector.proposals += counts && proposed ? 1 : 0;
  const auto last = last_.find(key_of(index, stream));
  const size_t place = last == last_.end() ? kNotKept : last->second.hit;
  makers_[decision.id] = {index, place};
  if (place == kNotKept) return;
  Hit& hit = hits_[place];
  hit.decisions += counts && !proposed ? 1 : 0;
  hit.proposals += counts && proposed ? 1 : 0;
  if (hit.measure.empty()) hit.measure = decision.measure.text();
  if (!proposed && !hit.decided_at) hit.decided_at = decision.from;
}

Hits::Ledger& Hits::ledger_of(const Maker& maker) {
  return maker.hit == kNotKept ? detectors_[maker.detector].others : ledgers_[maker.hit];
}

void Hits::stopped(const Event& event, const std::vector<DecisionId>& by) {
  if (!MailCount::is_mail(event.kind)) return;
  const Fairness how = verdicts_.of(event);
  std::vector<Maker> makers;
  for (const DecisionId id : by) {
    const auto found = makers_.find(id);
    if (found == makers_.end()) continue;
    const Maker maker = found->second;
    const auto same_hit = [&](const Maker& one) {
      return one.detector == maker.detector && one.hit == maker.hit;
    };
    const bool counted = std::ranges::any_of(makers, same_hit);
    if (counted) continue;
    Ledger& ledger = ledger_of(maker);
    ledger.all.add(event.kind, how);
    if (makers.empty()) ledger.of_set.add(event.kind, how);
    if (std::ranges::find(makers, maker.detector, &Maker::detector) == makers.end()) {
      ledger.of_detector.add(event.kind, how);
    }
    makers.push_back(maker);
  }
}

DetectorReport Hits::report_of(size_t index) const {
  const Detector& detector = detectors_[index];
  DetectorReport report{.detector = detector.name,
                        .mode = detector.mode,
                        .streams = detector.streams,
                        .hits = detector.hits,
                        .rightly = detector.rightly,
                        .wrongly = detector.wrongly,
                        .decisions = detector.decisions,
                        .proposals = detector.proposals,
                        .stopped = detector.others.of_detector.result()};
  std::vector<Duration> took;
  std::vector<uint64_t> messages;
  for (size_t i = 0; i < hits_.size(); ++i) {
    if (hit_detectors_[i] != index) continue;
    report.stopped.add(ledgers_[i].of_detector.result());
    if (!hits_[i].first_bad) continue;
    took.push_back(*hits_[i].took());
    messages.push_back(hits_[i].messages);
  }
  add_times(report, std::move(took), std::move(messages));
  return report;
}

RuleSetReport Hits::report(std::string name) const {
  RuleSetReport report{.name = std::move(name), .hits = hits_};
  for (size_t i = 0; i < hits_.size(); ++i) {
    report.hits[i].stopped = ledgers_[i].all.result();
    report.stopped.add(ledgers_[i].of_set.result());
  }
  for (size_t i = 0; i < detectors_.size(); ++i) {
    report.detectors.push_back(report_of(i));
    report.hits_total += detectors_[i].hits;
    report.decisions += detectors_[i].decisions;
    report.proposals += detectors_[i].proposals;
    report.stopped.add(detectors_[i].others.of_set.result());
  }
  return report;
}

}  // namespace watchpost::investigate
