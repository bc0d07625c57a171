#include "base/log.h"
#include "base/text.h"
#include "feedback/attribution/attribution.h"
#include "ingest/complainers.h"
#include "ingest/pipeline_state.h"

#include <algorithm>
#include <chrono>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace watchpost::ingest {
namespace {

constexpr auto kFirstPause = std::chrono::milliseconds(100);
constexpr auto kLongestPause = std::chrono::milliseconds(5000);
// What is decided while nothing can be stored holds this long, in memory.
constexpr Duration kUnstored = std::chrono::minutes(15);
// The newest event came that soon after it happened: what is read is what happens now.
constexpr Duration kLive = std::chrono::minutes(1);

using Ticks = std::chrono::steady_clock;

// The same mail to the same people, whatever reads it.
EventId identity_of(const KeptMail& mail) {
  return hash128(mail.bytes, hash64(fmt::format("kept mail\n{}\n{}", mail.sender,
                                                fmt::join(mail.recipients, "\n"))));
}

// The same for the milter that saw a message and for the log that tells of it. Queue ids alone come
// again within a day where they are short. Neither of the two names a recipient; who does tells of
// one of several.
EventId identity_of_accepted(const Event& event) {
  return hash128(fmt::format("accepted\n{}\n{}\n{}\n{}", event[Field::queue_id],
                             event[Field::message_id], event[Field::credential],
                             event[Field::recipient]));
}

// What of the audit log stands in the daemon's log, too.
void log_what_matters(const std::vector<AuditEntry>& audit) {
  for (const AuditEntry& entry : audit) {
    if (entry.what != "incident opened" && !entry.what.starts_with("decision ")) continue;
    log_info("decide", "{}: {} by {}: {}", entry.what, entry.about, entry.who, entry.detail);
  }
}

}  // namespace

void Pipeline::State::take_in(std::vector<Arrival> arrivals) {
  Step step;
  const Time now = clock.now();
  Complainers complainers([this](const EventId& lasting) { return was_there(lasting); });
  for (Arrival& arrival : arrivals) {
    // Behind a step that was given up nothing may be kept: it would say that all before is.
    if (given_up) {
      if (arrival.settled) arrival.settled(store_refuses());
      continue;
    }
    const size_t first = step.events.size();
    for (Event& event : arrival.events.events()) {
      if (options.accepted_twice && event.kind == EventKind::accepted &&
          !event[Field::queue_id].empty()) {
        const EventId own = std::exchange(event.id, identity_of_accepted(event));
        for (KeptVerdict& verdict : arrival.verdicts) {
          if (verdict.event == own) verdict.event = event.id;
        }
      }
      if (!seen.add(event.id, now) || (arrival.lasting && was_there(event.id))) {
        metrics.duplicate();
        // Counted once; but whoever was put back on a list since may leave it again.
        if (event.kind == EventKind::unsubscribed)
          suppressions.count(event, decider, *reader, step, now);
        continue;
      }
      if (arrival.lasting) step.lasting.push_back({event.id, now});
      metrics.event(arrival.source, event.kind);
      event.self_inflicted = event.self_inflicted || tags->is_echo(event);
      note_failure(event);
      complainers.mark(event, step.lasting, now);
      step.events.push_back(event);
      count(event, step, now);
    }
    if (arrival.position) {
      step.facts[fmt::format("{}{}", kPositionFact, arrival.source)] = std::move(*arrival.position);
    }
    for (KeptMail& mail : arrival.kept_mail) keep(std::move(mail), step, now);
    for (KeptVerdict& verdict : arrival.verdicts) keep(std::move(verdict), step, first);
    if (arrival.settled) step.settled.push_back(std::move(arrival.settled));
    step.batches.push_back(std::move(arrival.events));
  }
  if (!step.events.empty()) live = newest && now - *newest < kLive;
  decide::Outcome ended = decider.advance_to(now);
  // Once for all signals of the step: it is written whole.
  if (step.decider_changed || ended.state_changed) {
    step.facts[std::string(kDeciderFact)] = decider.save();
  }
  for (const decide::Rearm& one : ended.rearm) rearm(one, step);
  learn_kept_back(ended);
  step.add(std::move(ended));
  step.reported = std::exchange(reports.reported, {});
  step.facts.merge(reports.facts);
  reports.facts.clear();
  suppressions.finish(step);
  for (auto& [number, notice] : std::exchange(reports.notices, {})) {
    step.notices.try_emplace(number, std::move(notice));
  }
  // A refusal of the store is found to be over only by trying.
  if (step.empty() && !storing()) step.facts["store/tried"] = format_time(now);
  if (!given_up) commit_until_done(step);
}

// Whoever was not told that it is kept hands it in again.
void Pipeline::State::keep(KeptMail mail, Step& step, Time now) {
  const EventId id = identity_of(mail);
  if (!seen.add(id, now) || was_there(id)) {
    metrics.duplicate();
    return;
  }
  step.lasting.push_back({id, now});
  step.kept_mail.push_back(std::move(mail));
}

// Only beside an event that came with it and is new: what is read twice has its verdict already.
void Pipeline::State::keep(KeptVerdict verdict, Step& step, size_t first_event) {
  const auto arrived = std::span(step.events).subspan(first_event);
  if (std::ranges::find(arrived, verdict.event, &Event::id) == arrived.end()) return;
  if (verdict.json.size() > kLongestVerdict) {
    log_warning("pipeline", "a verdict of {} bytes is not kept: {} at most", verdict.json.size(),
                kLongestVerdict);
    return;
  }
  step.verdicts.push_back(std::move(verdict));
}

// One bounce counts once: of a notice and the log, the one that is read second proves nothing.
void Pipeline::State::note_failure(Event& event) {
  if (options.own_failures == nullptr) return;
  if (options.own_failures->is_second(event)) event[Field::proof] = feedback::kSeenAlready;
  options.own_failures->note(event);
}

// Where the store does not say, it counts as new: feedback twice does less harm than feedback lost.
bool Pipeline::State::was_there(const EventId& lasting) {
  const auto known = store->knows(lasting);
  if (!known) log_warning("pipeline", "whether feedback came before: {}", known.error().text());
  return known.value_or(false);
}

bool Pipeline::State::storing() const {
  const std::lock_guard lock(shared);
  return health.storing;
}

std::unexpected<Error> Pipeline::State::store_refuses() const {
  const std::lock_guard lock(shared);
  return fail(Code::unavailable, "the store cannot be written now", health.error);
}

void Pipeline::State::count(const Event& event, Step& step, Time now) {
  if (!newest || event.at > *newest) newest = event.at;
  signals.clear();
  failures.add(event);
  watch.on(event, signals);
  for (Signal& signal : signals) {
    std::vector<Field> dimensions;
    for (const Stream::Part& part : signal.stream.parts) dimensions.push_back(part.dimension);
    const size_t active = watch.active_streams(dimensions);
    auto samples = recent.samples(signal.stream, step.events);
    signal.shares = failures.shares(signal);
    decide::Outcome outcome = decider.on(std::move(signal), std::move(samples), active, now);
    step.decider_changed = step.decider_changed || outcome.state_changed;
    for (const decide::Rearm& one : outcome.rearm) rearm(one, step);
    learn_kept_back(outcome);
    suppressions.note(outcome);
    step.add(std::move(outcome));
  }
  suppressions.count(event, decider, *reader, step, now);
}

// What was counted anew must be so again when the counters are rebuilt after a crash: the fact says
// after which event.
void Pipeline::State::rearm(const decide::Rearm& one, Step& step) {
  if (counter_reading) {
    rearms_while_reading.push_back(one);
  } else {
    watch.rearm(one.detector, one.stream);
  }
  const uint64_t sequence = store->last_event() + (options.store_events ? step.events.size() : 0);
  std::string name = fmt::format("{}{:020}/{:010}", kRearmFact, sequence, ++rearms_made);
  step.facts[name] = fmt::format("{}\n{}", one.stream.text(), one.detector);
  kept_rearms.emplace(std::move(name), sequence);
}

// It is in the next counters that are saved. A crash before that costs a few hours of the past of
// one stream, which are learned as they were.
void Pipeline::State::learn_kept_back(const decide::Outcome& outcome) {
  for (const decide::KeptBack& one : outcome.kept_back) {
    if (counter_reading) {
      kept_back_while_reading.push_back(one);
    } else {
      watch.kept_back(one.stream, one.since);
    }
  }
}

// Carries on until it is done: nothing is acknowledged before, and nothing is lost. False where the
// pipeline is stopped meanwhile.
bool Pipeline::State::commit_until_done(Step& step) {
  add_rows(step, clock.now());
  auto pause = kFirstPause;
  while (true) {
    const auto done = commit_once(step);
    if (done) return true;
    if (!failing) hand_out_uncommitted(step, clock.now());
    failing = true;
    if (!wait_for_store(pause)) {
      given_up = true;
      // Whoever waits for room would wait for ever.
      inbox.close();
      step.settle(done);
      return false;
    }
    pause = std::min(pause * 2, kLongestPause);
  }
}

Result<Done> Pipeline::State::commit_once(Step& step) {
  if (step.empty()) {
    step.settle(Done{});
    return Done{};
  }
  const auto before = Ticks::now();
  const auto done = store->commit(step.commit(options.store_events));
  const Time now = clock.now();
  if (done) {
    metrics.committed(step, std::chrono::duration<double>(Ticks::now() - before).count(), now);
    after_commit(step, now);
    return done;
  }
  metrics.commit_failed();
  const std::lock_guard lock(shared);
  if (health.storing) {
    log_error("pipeline", "cannot store, will try again; sources wait meanwhile: {}",
              done.error().text());
  }
  health.storing = false;
  health.error = done.error().text();
  return done;
}

void Pipeline::State::add_rows(Step& step, Time now) {
  step.rows.clear();
  for (const auto& [id, decision] : step.decisions) {
    std::ranges::move(outbox.rows_for(decision, now), std::back_inserter(step.rows));
  }
}

void Pipeline::State::after_commit(Step& step, Time now) {
  {
    const std::lock_guard lock(shared);
    if (!health.storing) log_info("pipeline", "storing again");
    for (const auto& [name, value] : step.facts) {
      if (name.starts_with(kPositionFact)) positions[name.substr(kPositionFact.size())] = value;
    }
    health.storing = true;
    health.error.clear();
    health.events = store->last_event();
  }
  log_what_matters(step.audit);
  const bool was_failing = std::exchange(failing, false);
  std::vector<Notice> notices;
  for (auto& [number, notice] : step.notices) {
    if (notice.state == Notice::State::pending && notice.attempts == 0) notices.push_back(notice);
  }
  if (!step.decisions.empty() || !notices.empty() || was_failing) {
    std::vector<Decision> active;
    for (const auto& [id, decision] : decider.decisions()) {
      if (decision.in_force(now)) active.push_back(decision);
    }
    std::vector<std::pair<store::Enforcement, Decision>> rows;
    for (const store::Enforcement& row : step.rows) {
      rows.emplace_back(row, step.decisions.at(row.decision));
    }
    outbox.committed(std::move(active), std::move(rows), std::move(notices));
  }
  suppressions.committed(step);
  step.settle(Done{});
  recent.add(std::move(step.batches), std::move(step.events));
}

// The store cannot be written: what was just decided holds all the same, in memory and for a short
// while, so that a full disk does not let an attacker through. Nothing is told to other machines.
void Pipeline::State::hand_out_uncommitted(const Step& step, Time now) {
  const bool any = std::ranges::any_of(step.decisions,
                                       [&](const auto& one) { return one.second.in_force(now); });
  if (!any) return;
  std::vector<Decision> active;
  for (const auto& [id, decision] : decider.decisions()) {
    if (!decision.in_force(now)) continue;
    Decision& out = active.emplace_back(decision);
    if (!step.decisions.contains(id)) continue;
    out.until = std::min(out.until, now + kUnstored);
    out.because += " (not stored yet: the store cannot be written)";
  }
  outbox.committed(std::move(active), {}, {});
}

// Questions are answered meanwhile, as far as they change nothing.
bool Pipeline::State::wait_for_store(std::chrono::milliseconds pause) {
  const auto until = Ticks::now() + pause;
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Ticks::now());
    const Inbox::Taken taken = inbox.take_errands(std::max(left, std::chrono::milliseconds(0)));
    for (const Inbox::Errand& errand : taken.errands) errand();
    if (taken.closed || stop_wanted) return false;
    if (Ticks::now() >= until) return true;
  }
}

}  // namespace watchpost::ingest
