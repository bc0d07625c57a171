#include "decide/decider.h"

#include "base/text.h"
#include "decide/scope.h"
#include "decide/step.h"
#include "decide/wording.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace watchpost::decide {
namespace {

constexpr size_t kFewest = 3;  // what the share never goes below
constexpr Duration kTidyEvery = std::chrono::minutes(1);
constexpr int kMostClosedAtOnce = 100;  // each is written whole

// Of several measures one is taken: the strictest, and the longest of equally strict ones.
const Measure* strictest_of(const std::vector<Measure>& measures) {
  const Measure* best = nullptr;
  for (const Measure& measure : measures) {
    if (measure.kind == MeasureKind::notify || measure.span.count() <= 0) continue;
    const bool stricter = best == nullptr || !at_least_as_strict(*best, measure);
    const bool longer =
        best != nullptr && at_least_as_strict(measure, *best) && measure.span > best->span;
    if (stricter || longer) best = &measure;
  }
  return best;
}

bool knows_detector(const Incident& incident, std::string_view detector) {
  return std::ranges::any_of(incident.evidence,
                             [&](const Evidence& e) { return e.signal.detector == detector; });
}

}  // namespace

// What is done about a signal. No measure: `note` says why. A proposal: `note` says why only that.
struct Decider::Choice {
  std::optional<Measure> measure;
  DecisionState state = DecisionState::active;
  std::string note;
  const Decision* already = nullptr;  // what makes a new one needless
  bool capped = false;
};

Decider::Decider(DecideSettings settings) : settings_(std::move(settings)) {
  for (const std::string& text : settings_.protect) {
    auto stream = parse_stream(text);
    if (stream) {
      protected_.push_back(std::move(*stream));
    } else {
      protect_readable_ = false;
    }
  }
}

Outcome Decider::on(Signal signal, std::vector<std::string> samples, size_t active_streams,
                    Time now) {
  Step step(*this, now);
  if (signal.mode == Mode::off || signal.stream.empty()) return step.finish();
  const std::string episode = episode_of(signal);
  step.state_changed();
  if (!episodes_.add_newest(episode)) {
    // Decided already. But one that comes again within the second, after a person undid it, has to
    // be counted anew like any other when the grace ends, or it would stand as told for ever.
    note_in_graces(signal, now);
    return step.finish();
  }
  if (signal.mode == Mode::shadow) {
    const Measure* const measure = strictest_of(signal.then);
    step.out().shadow.push_back({now, signal.detector, signal.stream,
                                 measure != nullptr ? *measure : Measure{}, signal.because});
    return step.finish();
  }
  auto [incident, opened] = step.incident_about(
      subject_of(signal.stream),
      fmt::format("{}: {}", escaped(signal.detector), shown(signal.stream)), kWatchpost);
  const bool news = opened || !knows_detector(incident, signal.detector);
  step.keep_evidence(incident, signal, std::move(samples));

  Choice choice = choose(signal, active_streams, now);
  const Decision* made = nullptr;
  if (choice.measure) {
    Decision decision{.state = choice.state,
                      .scope = signal.stream,
                      .measure = std::move(*choice.measure),
                      .detector = signal.detector,
                      .made_by = std::string(kWatchpost),
                      .because = signal.because,
                      .episode = episode};
    made = &step.decide(incident, std::move(decision));
    if (choice.state == DecisionState::active) recent_.push_back(now);
  }
  if (!choice.note.empty()) {
    step.write(
        incident, kWatchpost,
        fmt::format("{}: {}", made != nullptr ? "only proposed" : "no measure", choice.note));
  }
  note_in_graces(signal, now);
  // In grace people have just said to leave it alone: they hear of it once, not each time.
  const bool in_grace = grace_over(signal.stream, now) != nullptr;
  if (made != nullptr || opened || (news && !in_grace)) {
    tell(step, incident, signal, made, choice);
  }
  if (choice.capped) alarm(step, incident);
  return step.finish();
}

Decider::Choice Decider::choose(const Signal& signal, size_t active_streams, Time now) const {
  if (signal.mode != Mode::enforce) return {};
  const Measure* const wanted = strictest_of(signal.then);
  if (wanted == nullptr) return {};
  Choice choice;
  if (now - signal.at > settings_.stale || signal.at - now > settings_.stale) {
    choice.note =
        fmt::format("the signal is of {}, too far from now to act on", format_time(signal.at));
    return choice;
  }
  if (is_protected(signal.stream)) {
    choice.note = fmt::format("{} is on the protected list", shown(signal.stream));
    return choice;
  }
  if (const Grace* const grace = grace_over(signal.stream, now)) {
    choice.note = fmt::format("a person undid a measure; it is left alone until {}",
                              format_time(grace->until));
    return choice;
  }
  Measure measure = *wanted;
  measure.span = std::min(measure.span, kLongestSpan);
  const Time until = now + measure.span;
  if (const Decision* const there =
          covering(signal.stream, measure, until, DecisionState::active)) {
    choice.note = fmt::format("{} is at least as strict and lasts until {}", text_of(there->id),
                              format_time(there->until));
    choice.already = there;
    return choice;
  }
  if (!automation_) {
    choice.note = "automation is switched off";
  } else if (!protect_readable_) {
    choice.note = "the protected list cannot be read";
  } else if (recent_.size() >= most_now(active_streams) &&
             static_cast<size_t>(std::ranges::count_if(recent_, [&](Time t) {
               return t > now - settings_.period;
             })) >= most_now(active_streams)) {
    choice.note = fmt::format("the most automatic measures in {} are taken",
                              format_duration(settings_.period));
    choice.capped = true;
  }
  if (!choice.note.empty()) {
    choice.state = DecisionState::proposed;
    if (const Decision* const there =
            covering(signal.stream, measure, until, DecisionState::proposed)) {
      choice.note += fmt::format("; {} is already proposed", text_of(there->id));
      choice.already = there;
      return choice;
    }
  }
  choice.measure = std::move(measure);
  return choice;
}

size_t Decider::most_now(size_t active_streams) const {
  const double share = std::floor(settings_.most_share * static_cast<double>(active_streams));
  const size_t by_share = std::max(kFewest, static_cast<size_t>(std::max(share, 0.0)));
  return std::min(static_cast<size_t>(std::max<int64_t>(settings_.most_decisions, 0)), by_share);
}

const Decision* Decider::covering(const Stream& scope, const Measure& measure, Time until,
                                  DecisionState state) const {
  for (const auto& [id, decision] : decisions_) {
    if (decision.state == state && decision.until >= until &&
        at_least_as_strict(decision.measure, measure) && same_scope(decision.scope, scope)) {
      return &decision;
    }
  }
  return nullptr;
}

const Decider::Grace* Decider::grace_over(const Stream& stream, Time now) const {
  const Grace* longest = nullptr;
  for (const Grace& grace : graces_) {
    if (grace.until <= now || !contains(grace.stream, stream)) continue;
    if (longest == nullptr || grace.until > longest->until) longest = &grace;
  }
  return longest;
}

// What comes in grace must not be lost with it: the detector may say it again afterwards.
void Decider::note_in_graces(const Signal& signal, Time now) {
  for (Grace& grace : graces_) {
    if (grace.until <= now || !contains(grace.stream, signal.stream)) continue;
    if (grace.rearm.size() >= kMostRearmed) continue;
    const bool there = std::ranges::any_of(grace.rearm, [&](const Rearm& r) {
      return r.detector == signal.detector && r.stream == signal.stream;
    });
    if (!there) grace.rearm.push_back({signal.detector, signal.stream});
  }
}

std::optional<Time> Decider::grace_of(const Stream& stream, Time now) const {
  const Grace* const grace = grace_over(stream, now);
  return grace != nullptr ? std::optional(grace->until) : std::nullopt;
}

// A measure on less than the protected stream touches it, and so does one on more.
bool Decider::is_protected(const Stream& scope) const {
  return std::ranges::any_of(protected_, [&](const Stream& spared) {
    return contains(spared, scope) || contains(scope, spared);
  });
}

void Decider::tell(Step& step, const Incident& incident, const Signal& signal, const Decision* made,
                   const Choice& choice) {
  std::vector<std::string_view> told;
  for (const Measure& measure : signal.then) {
    if (measure.kind != MeasureKind::notify) continue;
    if (std::ranges::find(told, measure.target) != told.end()) continue;
    told.push_back(measure.target);
    NoticeText notice = notice_text({.incident = incident,
                                     .signal = signal,
                                     .decision = made != nullptr ? made : choice.already,
                                     .is_new = made != nullptr,
                                     .note = choice.note,
                                     .grace = settings_.grace});
    step.tell(incident, measure.target, std::move(notice.subject), std::move(notice.text));
  }
}

// Once for each time that the cap is met, not for each proposal.
void Decider::alarm(Step& step, const Incident& incident) {
  if (alarmed_at_ && step.now() - *alarmed_at_ < settings_.period) return;
  alarmed_at_ = step.now();
  step.state_changed();
  step.audit(kWatchpost, "blast-radius cap met", "",
             fmt::format("{} automatic measures within {}", recent_.size(),
                         format_duration(settings_.period)));
  if (settings_.alarm_target.empty()) return;
  NoticeText notice = alarm_text(settings_, recent_.size());
  step.tell(incident, settings_.alarm_target, std::move(notice.subject), std::move(notice.text));
}

Outcome Decider::advance_to(Time now) {
  Step step(*this, now);
  for (auto& [id, decision] : decisions_) {
    if (decision.until > now) continue;
    const bool was_active = decision.state == DecisionState::active;
    step.end(decision, DecisionState::expired, kWatchpost,
             was_active ? "" : "nobody confirmed it in time");
    // What led to it does not count a second time.
    if (was_active && !decision.detector.empty()) step.rearm(decision.detector, decision.scope);
  }
  while (!recent_.empty() && recent_.front() <= now - settings_.period) {
    recent_.pop_front();
    step.state_changed();
  }
  end_graces(step);
  if (now - tidied_at_ >= kTidyEvery || now < tidied_at_) {
    tidied_at_ = now;
    close_finished(step);
  }
  return step.finish();
}

void Decider::end_graces(Step& step) {
  const auto ended = [&](const Grace& grace) { return grace.until <= step.now(); };
  for (const Grace& grace : graces_) {
    if (!ended(grace)) continue;
    for (const Rearm& rearm : grace.rearm) step.rearm(rearm.detector, rearm.stream);
    step.audit(kWatchpost, "grace ended", "", shown(grace.stream));
    step.state_changed();
  }
  std::erase_if(graces_, ended);
}

void Decider::close_finished(Step& step) {
  int closed = 0;
  for (auto& [id, incident] : incidents_) {
    if (closed == kMostClosedAtOnce) break;
    const std::string why = over_because(incident, step.now());
    if (why.empty()) continue;
    step.close(incident, kWatchpost, why);
    ++closed;
  }
  std::erase_if(incidents_, [&](const auto& one) {
    return one.second.state == IncidentState::closed &&
           step.now() - one.second.updated_at > settings_.join;
  });
}

bool Decider::has_decision(const Incident& incident) const {
  return std::ranges::any_of(incident.decisions,
                             [&](DecisionId id) { return decisions_.contains(id); });
}

// While signals would still join it, an incident with evidence stays open.
std::string Decider::over_because(const Incident& incident, Time now) const {
  if (incident.state != IncidentState::open || has_decision(incident)) return {};
  if (incident.evidence.empty()) return "closed: the last measure by hand has ended";
  if (now - incident.updated_at <= settings_.join) return {};
  if (incident.verdict != Verdict::none) return "closed: confirmed, and its measures have ended";
  return fmt::format("closed unattended: nothing new for {}, and no measure stands",
                     format_duration(settings_.join));
}

// The oldest closed ones go first.
void Decider::drop_closed_beyond(size_t most) {
  for (auto at = incidents_.begin(); at != incidents_.end() && incidents_.size() > most;) {
    at = at->second.state == IncidentState::closed ? incidents_.erase(at) : std::next(at);
  }
}

}  // namespace watchpost::decide
