#include "border/gate.h"

#include "base/log.h"
#include "border/dispositions.h"
#include "border/envelope.h"
#include "border/gate_counters.h"
#include "border/in_flight.h"
#include "border/outbound/conclude.h"
#include "border/outbound/decisions.h"
#include "border/outbound/held.h"
#include "border/outbound/hygiene.h"
#include "border/outbound/kept.h"
#include "border/outbound/mail.h"
#include "border/release.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace watchpost::border {
namespace {

// Nothing of it leaves: it is seen, and is no evidence.
void keep_back(Event& event, Disposition carried_out) {
  event.kind = EventKind::rejected;
  event.self_inflicted = true;
  event[Field::stage] = "END-OF-MESSAGE";
  if (carried_out == Disposition::quarantine) event[Field::disposition] = name_of(carried_out);
}

Answer release_waits() {
  return {.kind = Answer::Kind::tempfail,
          .reply =
              fmt::format("451 4.3.0 This mail cannot be released now, try again later {}", kMark)};
}

Answer refusal(std::string reply) {
  const bool for_good = reply.starts_with('5');
  return {.kind = for_good ? Answer::Kind::reject : Answer::Kind::tempfail,
          .reply = std::move(reply),
          .header = {},
          .remove_recipients = {}};
}

bool is_hold(const std::optional<Decision>& decision) {
  return decision && decision->measure.kind == MeasureKind::hold;
}

// A message on its way through the gate.
struct Passing {
  Passing(std::shared_ptr<const Transaction> message, std::shared_ptr<const Rules> now_rules,
          OutboundMail looked, Time now)
      : mail(std::move(message)),
        rules(std::move(now_rules)),
        looked_at(std::move(looked)),
        judged{.mail = *mail, .looked_at = looked_at, .verdict = {}, .reply = {}, .at = now} {}
  Passing(const Passing&) = delete;
  Passing& operator=(const Passing&) = delete;

  const BorderSettings& settings() const { return rules->settings; }
  Event& event() { return batch.events().front(); }

  const std::shared_ptr<const Transaction> mail;
  const std::shared_ptr<const Rules> rules;
  const OutboundMail looked_at;
  OutboundJudged judged;
  EventBatch batch;               // its event alone
  std::vector<HeldPart> to_keep;  // the last first
};

class OutboundGate final : public Handler {
 public:
  OutboundGate(const std::string& name, Mode mode, const BorderContext& context);
  ~OutboundGate() override { in_flight_.wait_for_none(); }

  bool looks_at(const Transaction&) override { return mode_ != Mode::off; }
  Answer at_recipient(const Transaction& so_far, const Recipient& recipient) override;
  void at_end(std::shared_ptr<const Transaction> message, GiveAnswer answer) override;
  Answer in_trouble(const Transaction& message, Trouble trouble) override;

 private:
  // Whether holds keep mail here at all, full or not.
  bool holds_here() const {
    return mode_ == Mode::enforce && context_.holds && context_.quarantine != nullptr;
  }
  void judge(std::shared_ptr<const Transaction> message, GiveAnswer answer);
  OutboundCase case_of(const Transaction& mail, const Event& event, EventBatch& batch,
                       const BorderSettings& settings);
  void keep(std::shared_ptr<Passing> passing, GiveAnswer answer);
  void kept(Passing& passing, const GiveAnswer& answer);
  void redeem(std::shared_ptr<const Transaction> message, GiveAnswer answer);
  void let_through(std::shared_ptr<const Transaction> message, const quarantine::HeldMessage& held,
                   const GiveAnswer& answer);
  void refused_recipient(const Transaction& mail, const Recipient& recipient,
                         const std::string& reply);
  void tell(const OutboundJudged& judged, const Rules& rules, EventBatch batch);
  void count_unseen(const Transaction& mail, const Rules& rules);
  void offer(EventBatch events, std::vector<KeptVerdict> verdicts = {});
  EventId id_of(const Transaction& mail, std::string_view what) const;

  const std::string name_;
  const Mode mode_;
  const BorderContext context_;
  const std::optional<auth::PublicSuffixes> suffixes_;
  OutboundDecisions decisions_;
  GateCounters counters_;
  std::map<std::string_view, Counter*> findings_;
  InFlight in_flight_;
  BeingKept being_kept_;
};

std::optional<auth::PublicSuffixes> system_suffixes() {
  auto list = auth::PublicSuffixes::of_the_system();
  if (!list) return std::nullopt;
  return std::move(*list);
}

OutboundGate::OutboundGate(const std::string& name, Mode mode, const BorderContext& context)
    : name_(name),
      mode_(mode),
      context_(context),
      suffixes_(system_suffixes()),
      decisions_(context.active, context.mapping),
      counters_(name, context.metrics) {
  std::vector<std::string_view> words(hygiene_words().begin(), hygiene_words().end());
  for (const auto authorship : {Authorship::unknown, Authorship::foreign, Authorship::uncertain}) {
    words.push_back(finding_of(authorship));
  }
  words.emplace_back("large");
  for (const std::string_view word : words) {
    findings_[word] = &context.metrics.counter("watchpost_border_findings",
                                               "Messages in which something was found.",
                                               {{"gate", name}, {"finding", std::string(word)}});
  }
}

Answer OutboundGate::at_recipient(const Transaction& so_far, const Recipient& recipient) {
  if (mode_ != Mode::enforce) return {};
  if (context_.quarantine != nullptr && may_be_release(so_far)) return {};
  const auto decision = decisions_.at_recipient(so_far, recipient.address, context_.clock.now());
  if (!decision) return {};
  // It is kept at the end.
  if (is_hold(decision) && holds_here() && context_.quarantine->takes()) return {};
  const auto rules = context_.rules.get();
  std::string reply = enforce::action_for(*decision, rules->settings.contact);
  refused_recipient(so_far, recipient, reply);
  counters_.add_refused_recipient();
  return refusal(std::move(reply));
}

void OutboundGate::refused_recipient(const Transaction& mail, const Recipient& recipient,
                                     const std::string& reply) {
  EventBatch batch;
  Event& event = session_event(mail, batch);
  event.kind = EventKind::rejected;
  event.self_inflicted = true;
  event.at = context_.clock.now();
  event.id = id_of(mail, recipient.address);
  event[Field::recipient] = batch.keep(recipient.address);
  event[Field::stage] = "RCPT";
  event[Field::reply] = batch.keep(reply);
  context_.mapping.apply(event, batch);
  offer(std::move(batch));
}

void OutboundGate::at_end(std::shared_ptr<const Transaction> message, GiveAnswer answer) {
  in_flight_.begin();
  if (context_.quarantine != nullptr && wants_release(*message)) {
    redeem(std::move(message), std::move(answer));
  } else {
    if (begins_with_token(*message)) counters_.add_refused_token();
    judge(std::move(message), std::move(answer));
  }
}

OutboundCase OutboundGate::case_of(const Transaction& mail, const Event& event, EventBatch& batch,
                                   const BorderSettings& settings) {
  const Time now = event.at;
  OutboundCase against{.decision = decisions_.at_end(mail, event, batch, now), .mode = mode_};
  // Nobody refused its recipients, for the sake of a token that it does not have.
  const bool not_asked = context_.quarantine != nullptr && may_be_release(mail);
  if (holds_here()) against.holds = decisions_.holds(mail, event, now);
  if (holds_here() && is_hold(against.decision)) {
    hold_the_rest(*against.decision, mail, against.holds);
    against.decision.reset();
  } else if (not_asked && !against.decision) {
    against.decision = decisions_.at_any_recipient(mail, now);
    if (holds_here() && is_hold(against.decision)) against.decision.reset();
  }
  const bool may_be_kept =
      !against.holds.empty() || settings.foreign_author == name_of(Disposition::quarantine);
  if (may_be_kept) against.keeping = keeping_of(context_.quarantine, mail);
  if (against.holds.size() > kMostHolds) against.keeping = Keeping::not_now;
  return against;
}

void OutboundGate::judge(std::shared_ptr<const Transaction> message, GiveAnswer answer) {
  const auto rules = context_.rules.get();
  const auto passing = std::make_shared<Passing>(
      message, rules, look_at(*message, *rules, suffixes_ ? &*suffixes_ : nullptr),
      context_.clock.now());
  for (const std::string_view word : passing->looked_at.findings) findings_.at(word)->add();
  Event& event = message_event(*message, passing->looked_at, passing->batch);
  event.at = passing->judged.at;
  context_.mapping.apply(event, passing->batch);
  const OutboundCase against = case_of(*message, event, passing->batch, rules->settings);
  OutboundJudged& judged = passing->judged;
  conclude(judged, against, rules->settings);
  counters_.add_decided(judged.verdict.decided);
  if (judged.plan.keeps()) {
    passing->to_keep =
        parts_of(against.holds, *message, judged.plan.whole == Disposition::quarantine);
    being_kept_.begin(instance_of(*message));
    return keep(passing, std::move(answer));
  }
  tell(judged, *rules, std::move(passing->batch));
  answer(refuses(judged.verdict.carried_out) ? refusal(std::move(judged.reply))
                                             : Answer{.header = token_removals(*message)});
  in_flight_.end();
}

// One part after the other: the mail server is told when all of them are durable. What was kept
// before one failed is known when the message comes again.
void OutboundGate::keep(std::shared_ptr<Passing> passing, GiveAnswer answer) {
  if (passing->to_keep.empty()) return kept(*passing, answer);
  HeldMail mail = held_mail(name_, mode_, passing->rules->version, passing->judged,
                            passing->event(), passing->to_keep.back());
  passing->to_keep.pop_back();
  context_.quarantine->keep(
      std::move(mail.message), std::move(mail.content),
      [this, passing, answer = std::move(answer)](const Result<quarantine::HeldId>& held) {
        if (held) {
          passing->judged.held.push_back(*held);
          return keep(passing, answer);
        }
        put_off(passing->judged, fmt::format("it was not kept: {}", held.error().text()),
                passing->settings());
        kept(*passing, answer);
      });
}

// Or not, and then it is refused for now.
void OutboundGate::kept(Passing& passing, const GiveAnswer& answer) {
  OutboundJudged& judged = passing.judged;
  Answer told;
  if (refuses(judged.verdict.carried_out)) {
    told = refusal(judged.reply);
  } else if (judged.plan.whole == Disposition::quarantine) {
    told.kind = Answer::Kind::discard;
  } else {
    told.header = token_removals(*passing.mail);
    told.remove_recipients = judged.plan.kept;
  }
  const bool in_time = answer(std::move(told));
  being_kept_.end(instance_of(*passing.mail), in_time);
  if (!in_time) {
    put_off(judged, "the deadline of the milter was over before all was kept", passing.settings());
    judged.reply.clear();
  }
  tell(judged, *passing.rules, std::move(passing.batch));
  in_flight_.end();
}

// What comes with a token of ours was kept here, and a person wants it to go out.
void OutboundGate::redeem(std::shared_ptr<const Transaction> message, GiveAnswer answer) {
  const auto presented = presented_by(*message);
  if (!presented) counters_.add_refused_token();
  // Nobody can say of a part that it is what was held.
  if (!presented || message->cut || message->too_many_fields) {
    answer(release_waits());
    return in_flight_.end();
  }
  context_.quarantine->redeem(*presented,
                              [this, message, answer](const Result<quarantine::HeldMessage>& held) {
                                if (held) {
                                  let_through(message, *held, answer);
                                } else {
                                  counters_.add_waiting(held.error());
                                  answer(release_waits());
                                }
                                in_flight_.end();
                              });
}

// It goes out now and no sooner, so now it counts.
void OutboundGate::let_through(std::shared_ptr<const Transaction> message,
                               const quarantine::HeldMessage& held, const GiveAnswer& answer) {
  if (!answer({.header = token_removals(*message)})) return;
  const auto rules = context_.rules.get();
  OutboundMail looked_at = look_at(*message, *rules, suffixes_ ? &*suffixes_ : nullptr);
  looked_at.findings.push_back(kReleased);
  Passing passing(message, rules, std::move(looked_at), context_.clock.now());
  Event& event = message_event(*message, passing.looked_at, passing.batch);
  event.at = passing.judged.at;
  tell_as_held(held, event, passing.batch);
  context_.mapping.apply(event, passing.batch);
  counters_.add_decided(Disposition::accept);
  tell(passing.judged, *rules, std::move(passing.batch));
}

// `batch` has the event of the message alone.
void OutboundGate::tell(const OutboundJudged& judged, const Rules& rules, EventBatch batch) {
  const bool refused = refuses(judged.verdict.carried_out);
  const bool held = judged.verdict.carried_out == Disposition::quarantine;
  const bool passes = !refused && judged.plan.whole != Disposition::quarantine;
  Event& event = batch.events().front();
  event.id = id_of(judged.mail, "");
  if (refused) event[Field::reply] = batch.keep(judged.reply);
  if (!passes) keep_back(event, judged.verdict.carried_out);
  const EventId id = event.id;
  if (passes && held) {
    const auto kept = static_cast<uint32_t>(judged.plan.kept.size());
    event.recipients -= std::min(event.recipients, kept);
    Event part = event;
    part.id = id_of(judged.mail, "held");
    part.recipients = kept;
    keep_back(part, Disposition::quarantine);
    batch.add() = part;
  }
  // Much mail leaves, and nobody asks about that which nothing was said of.
  std::vector<KeptVerdict> verdicts;
  if (!judged.verdict.reasons.empty() && context_.storing()) {
    verdicts.push_back({id, outbound_verdict_json(name_, mode_, rules.version, judged)});
  }
  offer(std::move(batch), std::move(verdicts));
}

Answer OutboundGate::in_trouble(const Transaction& message, Trouble trouble) {
  counters_.add(trouble);
  // It may be a released message, and nobody knows yet.
  if (context_.quarantine != nullptr && message.release_fields > 0) return release_waits();
  if (being_kept_.has(instance_of(message))) return release_waits();
  const auto rules = context_.rules.get();
  const BorderSettings& settings = rules->settings;
  if (mode_ == Mode::enforce) {
    // The decisions are in memory: no trouble takes their place.
    if (const auto decision = decisions_.at_any_recipient(message, context_.clock.now())) {
      return refusal(enforce::action_for(*decision, settings.contact));
    }
    const std::string& wanted = trouble == Trouble::overload ? settings.overload : settings.trouble;
    const Disposition done = where_mail_leaves(
        disposition_of(wanted, Disposition::tempfail),
        {.in_place_of_quarantine = disposition_of(settings.quarantine, Disposition::tempfail)});
    if (refuses(done)) {
      return refusal(reply_for(done, "This mail could not be looked at", settings.contact));
    }
  }
  // at_end() was not called.
  if (trouble == Trouble::overload) count_unseen(message, *rules);
  return {.header = token_removals(message)};
}

// Who fills up our memory is counted all the same.
void OutboundGate::count_unseen(const Transaction& mail, const Rules& rules) {
  EventBatch batch;
  Event& event = session_event(mail, batch);
  event.at = context_.clock.now();
  event.recipients = recipients_of(mail);
  event.size = mail.size;
  context_.mapping.apply(event, batch);
  const OutboundMail unseen{.message = mime::Message::read("")};
  tell({.mail = mail, .looked_at = unseen, .verdict = {}, .reply = {}, .at = event.at}, rules,
       std::move(batch));
}

void OutboundGate::offer(EventBatch events, std::vector<KeptVerdict> verdicts) {
  for (Event& event : events.events()) event[Field::source] = events.keep(name_);
  ingest::Arrival arrival;
  arrival.events = std::move(events);
  arrival.source = name_;
  arrival.verdicts = std::move(verdicts);
  if (!context_.events.offer(std::move(arrival))) counters_.add_dropped();
}

EventId OutboundGate::id_of(const Transaction& mail, std::string_view what) const {
  return hash128(
      fmt::format("outbound\n{}\n{}\n{}\n{}", name_, mail.queue_id(), instance_of(mail), what));
}

}  // namespace

std::unique_ptr<Handler> outbound_gate(const std::string& name, Mode mode,
                                       const BorderContext& context) {
  return std::make_unique<OutboundGate>(name, mode, context);
}

}  // namespace watchpost::border
