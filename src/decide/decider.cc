#include "decide/decider.h"

#include "base/text.h"
#include "decide/fault.h"
#include "decide/narrow.h"
#include "decide/scope.h"
#include "decide/step.h"
#include "decide/wording.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace watchpost::decide {
namespace {

constexpr int kMomentOfSpan = 60;
constexpr size_t kFewest = 3;  // what the share never goes below
constexpr Duration kTidyEvery = std::chrono::minutes(1);
constexpr int kMostClosedAtOnce = 100;  // each is written whole

// As strict, and as long: two detectors that see the same seconds apart want the same, so that a
// moment longer is no new measure.
bool does_as_much(const Decision& there, const Measure& measure, Time until) {
  return at_least_as_strict(there.measure, measure) &&
         there.until + measure.span / kMomentOfSpan >= until;
}

bool knows_detector(const Incident& incident, std::string_view detector) {
  return std::ranges::any_of(incident.evidence,
                             [&](const Evidence& e) { return e.signal.detector == detector; });
}

}  // namespace

// What is done about a signal. No measure: `note` says why. A proposal: `note` says why only that.
struct Decider::Choice {
  Stream scope;
  std::string narrowed;  // why the scope is narrower than the stream; empty: it is the stream
  std::optional<Measure> measure;
  bool warning = false;  // a step of the ladder: nobody is stopped, people are told
  std::string step;      // why this measure and this span; may be empty
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
  // What cannot be read is refused by check(); there is no return then.
  if (auto paces = paces_of(settings_)) return_ = std::move(*paces);
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
    note_in_graces(signal, narrowest(signal).scope, now);
    return step.finish();
  }
  if (signal.mode == Mode::shadow) {
    Stream scope = narrowest(signal).scope;
    Wanted would = wanted(signal, scope, now);
    step.out().shadow.push_back({now, signal.detector, std::move(scope),
                                 std::move(would.measure).value_or(Measure{}), signal.because});
    return step.finish();
  }
  Incident* const outage = outage_behind(signal, now);
  auto [incident, opened] =
      outage != nullptr
          ? std::pair<Incident&, bool>(*outage, false)
          : step.incident_about(
                subject_of(signal),
                fmt::format("{}: {}", escaped(signal.detector), shown(signal.stream)), kWatchpost);
  const bool news = opened || !knows_detector(incident, signal.detector);
  const Choice choice = choose(signal, outage, active_streams, now);
  const bool kept =
      step.keep_evidence(incident, signal, std::move(samples), choice.measure || choice.warning);
  note_failing(incident, signal);
  suggest(step, incident);

  const Decision* const made =
      choice.measure ? &carry_out(step, incident, signal, choice) : nullptr;
  if (choice.warning) {
    remember_warning(incident, now);
    step.say(incident, "warned", fmt::format("{}{}", kWarned, choice.step));
  }
  if (!choice.note.empty()) {
    if (kept || made != nullptr) {
      step.write(
          incident, kWatchpost,
          fmt::format("{}: {}", made != nullptr ? "only proposed" : "no measure", choice.note));
    }
    if (made == nullptr) {
      step.audit(kWatchpost, "no measure", text_of(incident.id),
                 fmt::format("{}: {}", signal.stream.text(), choice.note));
    }
  }
  note_in_graces(signal, choice.scope, now);
  // In grace people have just said to leave it alone: they hear of it once, not each time.
  const bool in_grace = grace_over(signal.stream, now) != nullptr;
  if (made != nullptr || opened || choice.warning || (news && !in_grace)) {
    tell(step, incident, signal, made, choice);
  }
  if (choice.capped) alarm(step, incident);
  return step.finish();
}

const Decision& Decider::carry_out(Step& step, Incident& incident, const Signal& signal,
                                   const Choice& choice) {
  Decision decision{.state = choice.state,
                    .scope = choice.scope,
                    .measure = *choice.measure,
                    .detector = signal.detector,
                    .made_by = std::string(kWatchpost),
                    .because = signal.because,
                    .episode = episode_of(signal)};
  if (!choice.narrowed.empty()) {
    decision.signalled = signal.stream;
    decision.because += fmt::format("; {}, rather than {}", choice.narrowed, shown(signal.stream));
  }
  if (!choice.step.empty()) decision.because += "; " + choice.step;
  if (choice.state == DecisionState::active) recent_.push_back(step.now());
  return step.decide(incident, std::move(decision));
}

Wanted Decider::wanted(const Signal& signal, const Stream& scope, Time now) const {
  const Time oldest = now - settings_.memory;
  auto earlier = past_.before(subject_of(scope), oldest, signal.since);
  if (!same_scope(scope, signal.stream)) {
    // Warnings stand with the incident, whatever part of it they were about.
    for (PastMeasure& past : past_.before(subject_of(signal), oldest, signal.since)) {
      if (past.measure.kind == MeasureKind::notify) earlier.push_back(std::move(past));
    }
  }
  return wanted_of(signal, earlier,
                   {.repeat_factor = settings_.repeat_factor, .longest = settings_.longest});
}

std::string Decider::held_off(const Signal& signal, const Stream& scope, Time now) const {
  if (now - signal.at > settings_.stale || signal.at - now > settings_.stale) {
    return fmt::format("the signal is of {}, too far from now to act on", format_time(signal.at));
  }
  const bool part_of_protected = std::ranges::any_of(
      protected_, [&](const Stream& spared) { return contains(spared, signal.stream); });
  if (part_of_protected || is_protected(scope)) {
    return fmt::format("{} is on the protected list", shown(signal.stream));
  }
  const Grace* grace = grace_over(signal.stream, now);
  if (grace == nullptr) grace = grace_over(scope, now);
  if (grace == nullptr) return {};
  return fmt::format("a person undid a measure; it is left alone until {}",
                     format_time(grace->until));
}

const Decision* Decider::narrower_in_force(const Signal& signal, const Stream& scope,
                                           const Measure& measure, Time until) const {
  for (const Stream& inside : explaining(signal)) {
    if (same_scope(inside, scope)) continue;
    for (const DecisionId id : indexes_.by_scope.at(inside)) {
      const Decision& there = decisions_.at(id);
      if (there.state != DecisionState::active || there.pace != 0) continue;
      if (does_as_much(there, measure, until)) return &there;
    }
  }
  return nullptr;
}

Decider::Choice Decider::choose(const Signal& signal, const Incident* outage, size_t active_streams,
                                Time now) const {
  Narrowed narrowed = narrowest(signal);
  Choice choice{.scope = std::move(narrowed.scope), .narrowed = std::move(narrowed.because)};
  if (signal.mode != Mode::enforce) return choice;
  Wanted wants = wanted(signal, choice.scope, now);
  if (!wants.measure && !wants.warning) {
    choice.note = std::move(wants.note);
    return choice;
  }
  if (outage != nullptr) {
    choice.note = fmt::format("{} fails at provider={}, which is at fault itself",
                              shown(signal.stream), escaped(main_provider(signal), 100));
    return choice;
  }
  choice.note = held_off(signal, choice.scope, now);
  if (!choice.note.empty()) return choice;
  choice.step = std::move(wants.note);
  choice.warning = wants.warning;
  if (wants.warning && past_.warned_since(subject_of(signal), signal.since)) {
    choice.warning = false;
    choice.note = "people were warned of it already";
  }
  if (wants.warning) return choice;
  Measure measure = std::move(*wants.measure);
  measure.span = std::min(measure.span, kLongestSpan);
  const Time until = now + measure.span;
  if (const Decision* const there = narrower_in_force(signal, choice.scope, measure, until)) {
    choice.note = fmt::format("{} on {} is in force, and nearly all failures are under it",
                              text_of(there->id), shown(there->scope));
    choice.already = there;
    return choice;
  }
  if (const Decision* const there = covering(choice.scope, measure, until, DecisionState::active)) {
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
            covering(choice.scope, measure, until, DecisionState::proposed)) {
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
  for (const DecisionId id : indexes_.by_scope.at(scope)) {
    const Decision& decision = decisions_.at(id);
    if (decision.state == state && does_as_much(decision, measure, until)) {
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
void Decider::note_in_graces(const Signal& signal, const Stream& scope, Time now) {
  for (Grace& grace : graces_) {
    if (grace.until <= now) continue;
    if (!contains(grace.stream, signal.stream) && !contains(grace.stream, scope)) continue;
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
  // Those of the return come to the end and are looked at no more: their own ends are to come.
  std::vector<DecisionId> due;
  for (auto at = indexes_.by_end.begin(); at != indexes_.by_end.end() && at->first <= now; ++at) {
    due.push_back(at->second);
  }
  std::ranges::sort(due);
  for (const DecisionId id : due) {
    Decision& decision = decisions_.at(id);
    const bool was_active = decision.state == DecisionState::active;
    step.end(decision, DecisionState::expired, kWatchpost, was_active ? "" : kUnconfirmed);
    // What led to it does not count a second time.
    if (was_active) step.rearm(decision);
  }
  for (const DecisionId id : due) return_slowly(step, decisions_.at(id));
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
  for (auto id = indexes_.closed.begin(); id != indexes_.closed.end();) {
    const auto incident = incidents_.find(*id);
    const bool old = step.now() - incident->second.updated_at > settings_.join;
    if (old) incidents_.erase(incident);
    id = old ? indexes_.closed.erase(id) : std::next(id);
  }
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

}  // namespace watchpost::decide
