#include "border/gate.h"

#include "base/log.h"
#include "border/dispositions.h"
#include "border/envelope.h"
#include "border/gate_counters.h"
#include "border/in_flight.h"
#include "border/inbound/event.h"
#include "border/inbound/filters.h"
#include "border/inbound/header_changes.h"
#include "border/inbound/held.h"
#include "border/inbound/judge.h"
#include "border/inbound/policy.h"
#include "border/inbound/weigh.h"
#include "border/release.h"
#include "border/verdict_json.h"

#include <utility>

namespace watchpost::border {
namespace {

// Filters are few: they are configured.
void count_hits(const Judged& judged, const std::string& gate, Metrics& metrics) {
  for (const Reason& one : judged.reasons) {
    if (one.source != Source::filter) continue;
    metrics
        .counter("watchpost_filter_hits", "Messages for which a filter rule was true.",
                 {{"gate", gate},
                  {"rule", one.said.rule.substr(std::string_view("filter ").size())},
                  {"mode", std::string(filter_mode_of(one))}})
        .add();
  }
}

// No quarantine without a look at the message.
Disposition in_place_of_verdict(Disposition wanted, Mode mode) {
  return carried_out(wanted, {.mode = mode, .in_place_of_quarantine = Disposition::tempfail});
}

class InboundGate final : public Handler {
 public:
  InboundGate(const std::string& name, Mode mode, const BorderContext& context)
      : context_(context), judge_(name, mode, context), counters_(name, context.metrics) {}
  ~InboundGate() override { in_flight_.wait_for_none(); }

  bool looks_at(const Transaction&) override { return judge_.mode() != Mode::off; }
  Answer at_recipient(const Transaction& so_far, const Recipient& recipient) override;
  void at_end(std::shared_ptr<const Transaction> message, GiveAnswer answer) override;
  Answer in_trouble(const Transaction& message, Trouble trouble) override;

 private:
  void tell_refused(const Transaction& mail, const Recipient& recipient, const Reason& reason);
  void judge(std::shared_ptr<const Transaction> message, GiveAnswer answer);
  void put_into_quarantine(std::shared_ptr<Judged> judged, GiveAnswer answer);
  void conclude(Judged& judged, const GiveAnswer& answer);
  void came_too_late(Judged& judged) const;
  void keep(const Judged& judged);
  void redeem(std::shared_ptr<const Transaction> message, GiveAnswer answer);
  void let_through(const Transaction& mail, const quarantine::HeldMessage& held,
                   const GiveAnswer& answer);
  Answer not_now(std::string_view rule) const;
  std::vector<HeaderChange> removals_unjudged(const Transaction& mail, const Rules& rules) const;

  const BorderContext context_;
  InboundJudge judge_;
  GateCounters counters_;
  InFlight in_flight_;
  BeingKept being_kept_;
};

Answer InboundGate::at_recipient(const Transaction& so_far, const Recipient& recipient) {
  if (judge_.mode() != Mode::enforce || recipient.refused) return {};
  if (context_.quarantine != nullptr && may_be_release(so_far)) return {};
  const auto reason = judge_.at_recipient(so_far, recipient.address);
  if (!reason || reason->said.wants == Disposition::accept) return {};
  counters_.add_refused_recipient();
  tell_refused(so_far, recipient, *reason);
  const bool for_good = reason->said.wants == Disposition::reject;
  return {.kind = for_good ? Answer::Kind::reject : Answer::Kind::tempfail, .reply = reason->reply};
}

// What decisions of ours refuse before the message came is seen, and no evidence of anything.
void InboundGate::tell_refused(const Transaction& mail, const Recipient& recipient,
                               const Reason& reason) {
  ingest::Arrival arrival;
  arrival.source = judge_.name();
  EventBatch& batch = arrival.events;
  EventBatch texts;
  Event& event = batch.copy(inbound_event(mail, texts));
  event.id = inbound_event_id(judge_.name(), mail, recipient.address);
  event.at = context_.clock.now();
  event.self_inflicted = true;
  event[Field::source] = batch.keep(judge_.name());
  event[Field::recipient] = batch.keep(recipient.address);
  event[Field::stage] = "RCPT";
  event[Field::reply] = batch.keep(reason.reply);
  event[Field::disposition] = name_of(reason.said.wants);
  context_.mapping.apply(event, batch);
  if (!context_.events.offer(std::move(arrival))) counters_.add_dropped();
}

void InboundGate::at_end(std::shared_ptr<const Transaction> message, GiveAnswer answer) {
  in_flight_.begin();
  if (context_.quarantine != nullptr && wants_release(*message)) {
    redeem(std::move(message), std::move(answer));
  } else {
    if (begins_with_token(*message)) counters_.add_refused_token();
    judge(std::move(message), std::move(answer));
  }
}

void InboundGate::judge(std::shared_ptr<const Transaction> message, GiveAnswer answer) {
  start(judge_.judge(std::move(message)), [this, answer = std::move(answer)](Judged judged) {
    if (!judged.plan.keeps()) return conclude(judged, answer);
    put_into_quarantine(std::make_shared<Judged>(std::move(judged)), answer);
  });
}

// The mail server is told of it when it is durable, and no sooner.
void InboundGate::put_into_quarantine(std::shared_ptr<Judged> judged, GiveAnswer answer) {
  HeldMail mail = held_mail(judge_.name(), judge_.mode(), *judged);
  being_kept_.begin(instance_of(*judged->facts.transaction));
  context_.quarantine->keep(std::move(mail.message), std::move(mail.content),
                            [this, judged = std::move(judged),
                             answer = std::move(answer)](const Result<quarantine::HeldId>& held) {
                              judge_.kept(*judged, held);
                              conclude(*judged, answer);
                            });
}

void InboundGate::conclude(Judged& judged, const GiveAnswer& answer) {
  // The mail server goes on while the rest is written down: nothing here can refuse any more.
  const bool in_time = answer(judged.answer);
  if (judged.plan.keeps()) being_kept_.end(instance_of(*judged.facts.transaction), in_time);
  if (in_time) {
    judge_.remember(judged);
  } else {
    came_too_late(judged);
  }
  counters_.add_decided(judged.verdict.decided);
  count_hits(judged, judge_.name(), context_.metrics);
  keep(judged);
  in_flight_.end();
}

// What comes with a token of ours was judged before, and a person wants it to go out.
void InboundGate::redeem(std::shared_ptr<const Transaction> message, GiveAnswer answer) {
  const auto presented = presented_by(*message);
  if (!presented) counters_.add_refused_token();
  // Nobody can say of a part that it is what was held.
  if (!presented || message->cut || message->too_many_fields) {
    answer(not_now("trouble"));
    return in_flight_.end();
  }
  context_.quarantine->redeem(*presented,
                              [this, message, answer](const Result<quarantine::HeldMessage>& held) {
                                if (held) {
                                  let_through(*message, *held, answer);
                                } else {
                                  counters_.add_waiting(held.error());
                                  answer(not_now("trouble"));
                                }
                                in_flight_.end();
                              });
}

void InboundGate::let_through(const Transaction& mail, const quarantine::HeldMessage& held,
                              const GiveAnswer& answer) {
  if (!answer({.header = removals_unjudged(mail, *context_.rules.get())})) return;
  counters_.add_decided(Disposition::accept);
  ingest::Arrival arrival;
  arrival.source = judge_.name();
  Event& event = released_event(mail, held, arrival.events);
  event.id = inbound_event_id(judge_.name(), mail);
  event.at = context_.clock.now();
  event[Field::source] = arrival.events.keep(judge_.name());
  context_.mapping.apply(event, arrival.events);
  if (!context_.events.offer(std::move(arrival))) counters_.add_dropped();
}

// What the mail server was told instead is what was done, and the message says nothing of anybody:
// it may come again.
void InboundGate::came_too_late(Judged& judged) const {
  const BorderSettings& settings = judged.rules->settings;
  MailVerdict& verdict = judged.verdict;
  const Disposition wants = disposition_of(settings.trouble, Disposition::tempfail);
  verdict.carried_out = in_place_of_verdict(wants, judge_.mode());
  verdict.reasons.insert(verdict.reasons.begin(),
                         {.rule = "trouble",
                          .wants = wants,
                          .in_force = true,
                          .words = "the verdict came after the deadline of the milter"});
  judged.answer = {};
}

// The event, and the verdict beside it. Where there is no room they are dropped and counted: mail
// never waits for them.
void InboundGate::keep(const Judged& judged) {
  ingest::Arrival arrival;
  arrival.source = judge_.name();
  Event& event = arrival.events.copy(inbound_event(judged.facts));
  event.id = inbound_event_id(judge_.name(), *judged.facts.transaction);
  event.at = judged.at;
  event[Field::source] = arrival.events.keep(judge_.name());
  event[Field::disposition] = name_of(judged.verdict.carried_out);
  if (judged.answer.kind != Answer::Kind::proceed) {
    event[Field::reply] = arrival.events.keep(judged.answer.reply);
    const Reason* const reason = deciding(judged.reasons);
    event.self_inflicted = reason != nullptr && reason->source == Source::decision;
  }
  context_.mapping.apply(event, arrival.events);
  arrival.verdicts.push_back(
      {.event = event.id, .json = verdict_json(judge_.name(), judge_.mode(), judged)});
  if (!context_.events.offer(std::move(arrival))) counters_.add_dropped();
}

Answer InboundGate::not_now(std::string_view rule) const {
  const Reason reason{.said = {.rule = std::string(rule), .words = {}}, .source = Source::trouble};
  return {
      .kind = Answer::Kind::tempfail,
      .reply = reply_of(&reason, Disposition::tempfail, context_.rules.get()->settings.contact)};
}

// Unjudged mail says nothing in our name either.
std::vector<HeaderChange> InboundGate::removals_unjudged(const Transaction& mail,
                                                         const Rules& rules) const {
  if (judge_.mode() == Mode::shadow) return token_removals(mail);
  mime::Findings findings;
  const auto header = mime::Header::read(mail.message, 0, {}, findings);
  return removals(mail, header, rules.settings.results ? judge_.authserv_id(rules) : "");
}

Answer InboundGate::in_trouble(const Transaction& message, Trouble trouble) {
  counters_.add(trouble);
  // It may be a released message, and nobody knows yet; decisions have not been asked either.
  if (context_.quarantine != nullptr && (message.release_fields > 0 || may_be_release(message))) {
    return not_now("trouble");
  }
  if (being_kept_.has(instance_of(message))) return not_now("trouble");
  const auto rules = context_.rules.get();
  const BorderSettings& settings = rules->settings;
  const Disposition wants = disposition_of(
      trouble == Trouble::overload ? settings.overload : settings.trouble, Disposition::tempfail);
  const Disposition done = in_place_of_verdict(wants, judge_.mode());
  if (done == Disposition::reject || done == Disposition::tempfail) {
    const Reason reason{.said = {.rule = "trouble", .wants = wants, .in_force = true, .words = {}},
                        .source = Source::trouble};
    return {.kind = done == Disposition::reject ? Answer::Kind::reject : Answer::Kind::tempfail,
            .reply = reply_of(&reason, done, settings.contact)};
  }
  Answer answer;
  answer.header = removals_unjudged(message, *rules);
  if (done == Disposition::tag) {
    answer.header.push_back({.kind = HeaderChange::Kind::insert,
                             .place = 1,
                             .name = std::string(kMarkField),
                             .value = "tag; not judged"});
  }
  return answer;
}

}  // namespace

std::unique_ptr<Handler> inbound_gate(const std::string& name, Mode mode,
                                      const BorderContext& context) {
  return std::make_unique<InboundGate>(name, mode, context);
}

}  // namespace watchpost::border
