#include "decide/step.h"

#include "base/text.h"
#include "decide/scope.h"
#include "decide/wording.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace watchpost::decide {
namespace {

constexpr std::string_view kMoreSignals = "further signals, counted only: ";
constexpr std::string_view kAgain = "again, counted only: ";
constexpr ptrdiff_t kShownOfOne = 3;  // signals of one detector on one stream
constexpr std::string_view kMoreEntries = "further entries, counted only: ";

// One line that counts what there is no room for, kept up to date.
void count_in(Incident& incident, std::string_view prefix, Time now) {
  const auto ours = std::ranges::find_if(incident.timeline, [&](const TimelineEntry& entry) {
    return entry.who == kWatchpost && entry.what.starts_with(prefix);
  });
  if (ours == incident.timeline.end()) {
    incident.timeline.push_back({now, std::string(kWatchpost), fmt::format("{}1", prefix)});
    return;
  }
  uint64_t count = 0;
  const char* const end = ours->what.data() + ours->what.size();
  std::from_chars(ours->what.data() + prefix.size(), end, count);
  ours->at = now;
  ours->what = fmt::format("{}{}", prefix, count + 1);
}

}  // namespace

std::pair<Incident&, bool> Decider::Step::incident_about(const Stream& subject, std::string title,
                                                         std::string_view who) {
  // The newest one: of two open incidents the older has fallen out of `join`.
  if (const auto open = decider_.indexes_.open_by_subject.at(subject); !open.empty()) {
    Incident& incident = decider_.incidents_.at(open.back());
    if (now_ - incident.updated_at <= decider_.settings_.join) {
      touch(incident);
      return {incident, false};
    }
  }
  make_room_for_one_incident();
  const IncidentId id{++decider_.last_incident_};
  state_changed();
  Incident& incident = decider_.incidents_[id];
  incident.id = id;
  incident.subject = subject;
  incident.title = std::move(title);
  incident.opened_at = now_;
  decider_.index(incident);
  touch(incident);
  write(incident, who, "opened");
  audit(who, "incident opened", text_of(id), fmt::format("{}: {}", subject.text(), incident.title));
  return {incident, true};
}

// Open incidents that nobody looks at must not fill the memory: the oldest one without a live
// measure goes. A closed one goes before.
void Decider::Step::make_room_for_one_incident() {
  decider_.drop_closed_beyond(kMostOpenIncidents - 1);
  if (decider_.incidents_.size() < kMostOpenIncidents) return;
  if (decider_.indexes_.unmeasured.empty()) return;
  close(decider_.incidents_.at(*decider_.indexes_.unmeasured.begin()), kWatchpost,
        fmt::format("closed unattended: more than {} incidents are open", kMostOpenIncidents));
}

bool Decider::Step::keep_evidence(Incident& incident, Signal signal,
                                  std::vector<std::string> samples, bool leads_on) {
  touch(incident);
  audit(kWatchpost, "signal joined", text_of(incident.id),
        fmt::format("{} on {}: {}", signal.detector, signal.stream.text(), signal.because));
  const auto is_same = [&](const Evidence& evidence) {
    return evidence.signal.detector == signal.detector && evidence.signal.stream == signal.stream;
  };
  const auto same = std::ranges::count_if(incident.evidence, is_same);
  if (same >= kShownOfOne && !leads_on) {
    count_in(incident,
             fmt::format("{}{} on {}: ", kAgain, escaped(signal.detector), shown(signal.stream)),
             now_);
    // The first ones and the newest.
    if (same > kShownOfOne || incident.evidence.size() >= kMostEvidence) {
      const auto newest =
          std::ranges::find_if(incident.evidence.rbegin(), incident.evidence.rend(), is_same);
      incident.evidence.erase(std::prev(newest.base()));
    }
    samples.resize(std::min(samples.size(), kMostSamples));
    incident.evidence.push_back({std::move(signal), std::move(samples)});
    return false;
  }
  if (incident.evidence.size() >= kMostEvidence) {
    count_in(incident, kMoreSignals, now_);
    return false;
  }
  write(incident, kWatchpost,
        fmt::format("{} on {}: {}", escaped(signal.detector), shown(signal.stream),
                    escaped(signal.because)));
  if (samples.size() > kMostSamples) samples.resize(kMostSamples);
  incident.evidence.push_back({std::move(signal), std::move(samples)});
  return true;
}

Decision& Decider::Step::decide(Incident& incident, Decision decision) {
  decision.id = DecisionId{++decider_.last_decision_};
  state_changed();
  decision.incident = incident.id;
  decision.from = now_;
  decision.until = now_ + decision.measure.span;
  Decision& made = decider_.decisions_[decision.id] = std::move(decision);
  decisions_.insert(made.id);
  incident.decisions.push_back(made.id);
  decider_.index(made);
  decider_.indexes_.unmeasured.erase(incident.id);
  if (made.state == DecisionState::active) decider_.remember(made);
  touch(incident);
  const bool proposed = made.state == DecisionState::proposed;
  const std::string detail = fmt::format("{} on {} until {}", made.measure.text(),
                                         shown(made.scope), format_time(made.until));
  write(incident, made.made_by,
        fmt::format("{} {}: {}", text_of(made.id), proposed ? "proposed" : "decided", detail));
  audit(made.made_by, proposed ? "decision proposed" : "decision made", text_of(made.id),
        fmt::format("{}; {}", detail, made.because));
  return made;
}

void Decider::Step::say(Incident& incident, std::string_view what, std::string detail) {
  audit(kWatchpost, what, text_of(incident.id), detail);
  write(incident, kWatchpost, std::move(detail));
}

void Decider::Step::bring_into_force(Decision& decision, std::string_view who) {
  decider_.unindex(decision);
  decision.state = DecisionState::active;
  decision.from = now_;
  decision.until = now_ + decision.measure.span;
  decider_.index(decision);
  decider_.remember(decision);
  decisions_.insert(decision.id);
  const std::string detail = fmt::format("{} on {} until {}", decision.measure.text(),
                                         shown(decision.scope), format_time(decision.until));
  audit(who, "decision brought into force", text_of(decision.id), detail);
  const auto incident = decider_.incidents_.find(decision.incident);
  if (incident == decider_.incidents_.end()) return;
  write(incident->second, who,
        fmt::format("{} brought into force: {}", text_of(decision.id), detail));
}

void Decider::Step::end(Decision& decision, DecisionState how, std::string_view who,
                        std::string_view why) {
  const bool kept_back =
      decision.state == DecisionState::active && decision.measure.kind != MeasureKind::notify;
  if (kept_back) out_.kept_back.push_back({decision.scope, decision.from});
  decision.state = how;
  decision.ended_at = how == DecisionState::expired ? decision.until : now_;
  decision.ended_by = who;
  decision.ended_why = why;
  decisions_.insert(decision.id);
  decider_.remember_end(decision);
  const std::string_view word = name_of(how);
  audit(who, fmt::format("decision {}", word), text_of(decision.id),
        fmt::format("{} on {}{}{}", decision.measure.text(), shown(decision.scope),
                    why.empty() ? "" : "; ", why));
  const auto incident = decider_.incidents_.find(decision.incident);
  if (incident == decider_.incidents_.end()) return;
  touch(incident->second);
  write(incident->second, who,
        fmt::format("{} {}{}{}", text_of(decision.id), word, why.empty() ? "" : ": ", why));
}

void Decider::Step::close(Incident& incident, std::string_view who, std::string_view why) {
  decider_.unindex(incident);
  incident.state = IncidentState::closed;
  decider_.index(incident);
  incident.updated_at = std::max(incident.updated_at, now_);
  write(incident, who, std::string(why));
  audit(who, "incident closed", text_of(incident.id), std::string(why));
}

void Decider::Step::give_grace(const Stream& stream) {
  if (decider_.settings_.grace.count() <= 0) return;
  state_changed();
  const Time until = now_ + std::min(decider_.settings_.grace, kLongestSpan);
  auto grace = std::ranges::find_if(decider_.graces_,
                                    [&](const Grace& g) { return same_scope(g.stream, stream); });
  if (grace == decider_.graces_.end()) {
    grace = decider_.graces_.insert(grace, Grace{stream, until, {}});
  } else if (grace->until >= until) {
    return;
  }
  grace->until = until;
  audit(kWatchpost, "grace given", "",
        fmt::format("{} is left alone until {}", shown(stream), format_time(until)));
}

void Decider::Step::rearm(std::string_view detector, const Stream& stream) {
  if (!rearmed_.emplace(detector, stream.text()).second) return;
  out_.rearm.push_back({std::string(detector), stream});
}

void Decider::Step::rearm(const Decision& decision) {
  if (decision.detector.empty()) return;
  rearm(decision.detector, decision.signalled.empty() ? decision.scope : decision.signalled);
}

void Decider::Step::leave_alone(const Stream& scope, const Incident* incident) {
  give_grace(scope);
  if (incident == nullptr) return;
  for (const Evidence& evidence : incident->evidence) {
    if (!same_scope(evidence.signal.stream, scope)) continue;
    rearm(evidence.signal.detector, evidence.signal.stream);
  }
}

void Decider::Step::tell(const Incident& incident, std::string target, std::string subject,
                         std::string text) {
  Notice notice;
  notice.number = ++decider_.last_notice_;
  state_changed();
  notice.incident = incident.id;
  notice.target = std::move(target);
  notice.at = now_;
  notice.subject = std::move(subject);
  notice.text = std::move(text);
  out_.notices.push_back(std::move(notice));
}

void Decider::Step::touch(Incident& incident) {
  // Of one that is closed it says when that was, whatever people note later.
  if (incident.state != IncidentState::closed) {
    incident.updated_at = std::max(incident.updated_at, now_);
  }
  incidents_.insert(incident.id);
}

void Decider::Step::write(Incident& incident, std::string_view who, std::string what) {
  touch(incident);
  const size_t most = who == kWatchpost ? kMostTimeline : kMostTimeline + kMostPeopleEntries;
  if (incident.timeline.size() < most) {
    incident.timeline.push_back({now_, std::string(who), std::move(what)});
  } else {
    count_in(incident, kMoreEntries, now_);
  }
}

void Decider::Step::audit(std::string_view who, std::string_view what, std::string about,
                          std::string detail) {
  out_.audit.push_back(
      {now_, std::string(who), std::string(what), std::move(about), std::move(detail)});
}

void Decider::Step::close_those_over() {
  for (const Decision& decision : out_.decisions) {
    const auto incident = decider_.incidents_.find(decision.incident);
    if (incident == decider_.incidents_.end()) continue;
    const std::string why = decider_.over_because(incident->second, now_);
    if (!why.empty()) close(incident->second, kWatchpost, why);
  }
}

// What has ended; its incident may stand without a measure now.
void Decider::Step::forget(DecisionId id) {
  const auto at = decider_.decisions_.find(id);
  decider_.unindex(at->second);
  const IncidentId of = at->second.incident;
  decider_.decisions_.erase(at);
  const auto incident = decider_.incidents_.find(of);
  if (incident == decider_.incidents_.end() || incident->second.state != IncidentState::open)
    return;
  if (!decider_.has_decision(incident->second)) decider_.indexes_.unmeasured.insert(of);
}

Outcome Decider::Step::finish() {
  for (const DecisionId id : decisions_) {
    const auto at = decider_.decisions_.find(id);
    if (at == decider_.decisions_.end()) continue;
    out_.decisions.push_back(at->second);
    if (at->second.ended_at) forget(at->second.id);
  }
  close_those_over();
  for (const IncidentId id : incidents_) {
    const auto at = decider_.incidents_.find(id);
    if (at != decider_.incidents_.end()) out_.incidents.push_back(at->second);
  }
  decider_.drop_closed_beyond(kMostOpenIncidents);
  return std::move(out_);
}

}  // namespace watchpost::decide
