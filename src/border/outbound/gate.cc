#include "border/gate.h"

#include "border/dispositions.h"
#include "border/envelope.h"
#include "border/gate_counters.h"
#include "border/outbound/decisions.h"
#include "border/outbound/hygiene.h"
#include "border/outbound/kept.h"
#include "border/outbound/mail.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace watchpost::border {
namespace {

bool refuses(Disposition disposition) {
  return disposition == Disposition::tempfail || disposition == Disposition::reject;
}

// Nothing is kept of mail that leaves, and a mark in it helps nobody.
Disposition where_mail_leaves(Disposition wanted, const BorderSettings& settings) {
  if (wanted == Disposition::tag) return Disposition::accept;
  if (wanted != Disposition::quarantine) return wanted;
  const Disposition instead = disposition_of(settings.quarantine, Disposition::tempfail);
  if (instead == Disposition::quarantine) return Disposition::tempfail;
  return instead == Disposition::tag ? Disposition::accept : instead;
}

Answer refusal(std::string reply) {
  const bool for_good = reply.starts_with('5');
  return {.kind = for_good ? Answer::Kind::reject : Answer::Kind::tempfail,
          .reply = std::move(reply),
          .header = {},
          .remove_recipients = {}};
}

// A refusal by our own rules; the mark is what the log's reader knows it by.
std::string reply_for(Disposition disposition, std::string_view words, std::string_view contact) {
  const std::string_view code = disposition == Disposition::reject ? "550 5.7.1" : "451 4.7.1";
  const std::string whom = contact.empty() ? std::string() : fmt::format("; contact {}", contact);
  return fmt::format("{} {}{} {}", code, words, whom, kMark);
}

class OutboundGate final : public Handler {
 public:
  OutboundGate(const std::string& name, Mode mode, const BorderContext& context);

  bool looks_at(const Transaction&) override { return mode_ != Mode::off; }
  Answer at_recipient(const Transaction& so_far, const Recipient& recipient) override;
  void at_end(std::shared_ptr<const Transaction> message, GiveAnswer answer) override;
  Answer in_trouble(const Transaction& message, Trouble trouble) override;

 private:
  std::vector<VerdictReason> reasons_for(const OutboundJudged& judged,
                                         const std::optional<Decision>& decision,
                                         const BorderSettings& settings) const;
  void conclude(OutboundJudged& judged, const std::optional<Decision>& decision,
                const BorderSettings& settings) const;
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
  const auto decision = decisions_.at_recipient(so_far, recipient.address, context_.clock.now());
  if (!decision) return {};
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

std::vector<VerdictReason> OutboundGate::reasons_for(const OutboundJudged& judged,
                                                     const std::optional<Decision>& decision,
                                                     const BorderSettings& settings) const {
  const bool in_force = mode_ == Mode::enforce;
  std::vector<VerdictReason> reasons;
  if (decision) {
    reasons.push_back(
        {.rule = "decision " + text_of(decision->id),
         .wants = disposition_of(decision->measure),
         .in_force = in_force,
         .words = fmt::format("{} is under {}", decision->scope.text(), decision->measure.text())});
  }
  const Authorship authorship = judged.looked_at.authorship;
  const Disposition author = disposition_of(settings.foreign_author, Disposition::accept);
  const bool objects = authorship == Authorship::foreign || authorship == Authorship::uncertain;
  if (objects && author != Disposition::accept) {
    reasons.push_back({.rule = std::string(finding_of(authorship)),
                       .wants = author,
                       .in_force = in_force,
                       .words = fmt::format("not every author is known to belong to the login {}",
                                            judged.mail.login())});
  }
  std::ranges::stable_sort(reasons, std::ranges::greater(), &VerdictReason::wants);
  return reasons;
}

void OutboundGate::conclude(OutboundJudged& judged, const std::optional<Decision>& decision,
                            const BorderSettings& settings) const {
  MailVerdict& verdict = judged.verdict;
  verdict.reasons = reasons_for(judged, decision, settings);
  if (mode_ != Mode::enforce) return;
  for (const VerdictReason& reason : verdict.reasons) {
    verdict.decided = std::max(verdict.decided, reason.wants);
    verdict.carried_out = std::max(verdict.carried_out, where_mail_leaves(reason.wants, settings));
  }
  if (!refuses(verdict.carried_out)) return;
  const bool by_decision = decision && disposition_of(decision->measure) == verdict.carried_out;
  judged.reply = by_decision
                     ? enforce::action_for(*decision, settings.contact)
                     : reply_for(verdict.carried_out,
                                 "The author of this mail is not known to belong to this login",
                                 settings.contact);
}

void OutboundGate::at_end(std::shared_ptr<const Transaction> message, GiveAnswer answer) {
  const auto rules = context_.rules.get();
  const Time now = context_.clock.now();
  const OutboundMail looked_at = look_at(*message, *rules, suffixes_ ? &*suffixes_ : nullptr);
  for (const std::string_view word : looked_at.findings) findings_.at(word)->add();
  EventBatch batch;
  Event& event = message_event(*message, looked_at, batch);
  event.at = now;
  context_.mapping.apply(event, batch);
  OutboundJudged judged{
      .mail = *message, .looked_at = looked_at, .verdict = {}, .reply = {}, .at = now};
  conclude(judged, decisions_.at_end(*message, event, batch, now), rules->settings);
  const bool refused = refuses(judged.verdict.carried_out);
  counters_.add_decided(judged.verdict.decided);
  tell(judged, *rules, std::move(batch));
  answer(refused ? refusal(std::move(judged.reply)) : Answer{});
}

// `batch` has the event of the message alone.
void OutboundGate::tell(const OutboundJudged& judged, const Rules& rules, EventBatch batch) {
  const bool refused = refuses(judged.verdict.carried_out);
  Event& event = batch.events().front();
  event.id = id_of(judged.mail, "");
  event.self_inflicted = refused;
  if (refused) {
    event[Field::stage] = "END-OF-MESSAGE";
    event[Field::reply] = batch.keep(judged.reply);
  }
  if (refused) event.kind = EventKind::rejected;
  // Much mail leaves, and nobody asks about that which nothing was said of.
  std::vector<KeptVerdict> kept;
  if (!judged.verdict.reasons.empty() && context_.storing()) {
    kept.push_back({event.id, outbound_verdict_json(name_, mode_, rules.version, judged)});
  }
  offer(std::move(batch), std::move(kept));
}

Answer OutboundGate::in_trouble(const Transaction& message, Trouble trouble) {
  counters_.add(trouble);
  const auto rules = context_.rules.get();
  const BorderSettings& settings = rules->settings;
  if (mode_ == Mode::enforce) {
    // The decisions are in memory: no trouble takes their place.
    if (const auto decision = decisions_.at_recipient(message, "", context_.clock.now())) {
      return refusal(enforce::action_for(*decision, settings.contact));
    }
    const std::string& wanted = trouble == Trouble::overload ? settings.overload : settings.trouble;
    const Disposition done =
        where_mail_leaves(disposition_of(wanted, Disposition::tempfail), settings);
    if (refuses(done)) {
      return refusal(reply_for(done, "This mail could not be looked at", settings.contact));
    }
  }
  // at_end() was not called.
  if (trouble == Trouble::overload) count_unseen(message, *rules);
  return {};
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
