#include "border/inbound/judge.h"

#include "base/host_name.h"
#include "border/dispositions.h"
#include "border/held_mail.h"
#include "border/inbound/filters.h"
#include "border/inbound/header_changes.h"
#include "border/inbound/policy.h"
#include "border/inbound/weigh.h"
#include "border/release.h"

#include <iterator>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

namespace watchpost::border {
namespace {

Answer::Kind kind_of(Disposition carried_out) {
  switch (carried_out) {
    case Disposition::accept:
    case Disposition::tag: return Answer::Kind::proceed;
    case Disposition::reject: return Answer::Kind::reject;
    case Disposition::tempfail:
    case Disposition::quarantine: break;
  }
  return Answer::Kind::tempfail;
}

}  // namespace

InboundJudge::InboundJudge(std::string name, Mode mode, const BorderContext& context)
    : name_(std::move(name)),
      mode_(mode),
      context_(context),
      host_name_(host_name()),
      decisions_(context.active, context.mapping) {}

const std::string& InboundJudge::authserv_id(const Rules& rules) const {
  return rules.identity.authserv_id.empty() ? host_name_ : rules.identity.authserv_id;
}

std::optional<Reason> InboundJudge::at_recipient(const Transaction& so_far,
                                                 const std::string& recipient) {
  const auto rules = context_.rules.get();
  return decisions_.at_recipient(so_far, recipient, rules->settings.contact, context_.clock.now());
}

std::vector<Reason> InboundJudge::reasons_of(const Facts& facts, const Rules& rules, Time now) {
  std::vector<Reason> all = policy_reasons(facts, rules.settings);
  std::ranges::move(trouble_reasons(facts, rules.settings, patience_, now),
                    std::back_inserter(all));
  std::ranges::move(filter_reasons(facts, rules.filters, now), std::back_inserter(all));
  if (auto decision = decisions_.at_end(facts, rules.settings.contact, now)) {
    all.push_back(std::move(*decision));
  }
  weigh(all, facts.transaction->recipients);
  return all;
}

// From weighed reasons to what the mail server is told.
void InboundJudge::conclude(Judged& judged) const {
  const BorderSettings& settings = judged.rules->settings;
  const Transaction& mail = *judged.facts.transaction;
  MailVerdict& verdict = judged.verdict;
  verdict.decided = decided_by(judged.reasons);
  for (const Reason& one : judged.reasons) verdict.reasons.push_back(one.said);
  judged.deed = deed_of(judged.reasons);
  const bool may_be_kept = mode_ == Mode::enforce && verdict.decided >= Disposition::quarantine;
  const CarryingOut how{
      .mode = mode_,
      .in_place_of_quarantine = disposition_of(settings.quarantine, Disposition::tempfail),
      .storing = !context_.storing || context_.storing(),
      .keeping = may_be_kept ? keeping_of(context_.quarantine, mail) : Keeping::never};
  judged.plan =
      plan_of(shares_of(judged.reasons, mail.recipients, how), how.keeping == Keeping::taken);
  if (how.keeping == Keeping::not_now && judged.plan.whole == Disposition::tempfail) {
    return put_off(judged, std::string(why_not_kept(mail)));
  }
  verdict.carried_out = judged.plan.keeps() ? Disposition::quarantine : judged.plan.whole;
  judged.answer.kind = kind_of(verdict.carried_out);
  if (judged.answer.kind != Answer::Kind::proceed) {
    const Reason not_kept{.said = {.rule = std::string(kNotKeptRule), .words = {}}};
    const Reason* const reason = judged.plan.keeps() ? &not_kept : deciding(judged.reasons);
    judged.answer.reply = reply_of(reason, verdict.carried_out, settings.contact);
  } else {
    judged.answer.header = changes_of(judged);
  }
}

// What those who get it see of it says nothing of what was found for others alone.
std::vector<HeaderChange> InboundJudge::changes_of(const Judged& judged) const {
  const Transaction& mail = *judged.facts.transaction;
  if (mode_ == Mode::shadow) return token_removals(mail);
  std::vector<Reason> reasons;
  const bool all = judged.plan.kept.empty();
  if (!all) {
    const std::unordered_set<std::string_view> kept(judged.plan.kept.begin(),
                                                    judged.plan.kept.end());
    std::vector<std::string> others;
    for (const Recipient& one : mail.recipients) {
      if (!kept.contains(one.address)) others.push_back(one.address);
    }
    reasons = reasons_for(judged.reasons, others);
  }
  const std::vector<Reason>& shown = all ? judged.reasons : reasons;
  return header_changes(judged.facts, {.decided = decided_by(shown),
                                       .tagged = judged.plan.whole == Disposition::tag,
                                       .reasons = &shown,
                                       .settings = &judged.rules->settings,
                                       .authserv_id = &authserv_id(*judged.rules)});
}

// Nothing is thrown away that is not kept.
void InboundJudge::put_off(Judged& judged, std::string why) const {
  judged.verdict.carried_out = Disposition::tempfail;
  judged.verdict.reasons.insert(judged.verdict.reasons.begin(), {.rule = std::string(kNotKeptRule),
                                                                 .wants = Disposition::tempfail,
                                                                 .in_force = true,
                                                                 .words = std::move(why)});
  const Reason reason{.said = judged.verdict.reasons.front(), .source = Source::trouble};
  judged.answer = {
      .kind = Answer::Kind::tempfail,
      .reply = reply_of(&reason, Disposition::tempfail, judged.rules->settings.contact)};
}

void InboundJudge::kept(Judged& judged, const Result<quarantine::HeldId>& held) const {
  if (!held) return put_off(judged, fmt::format("it was not kept: {}", held.error().text()));
  judged.held = *held;
  if (judged.plan.whole == Disposition::quarantine) {
    judged.answer = {.kind = Answer::Kind::discard};
    return;
  }
  judged.answer = {.kind = Answer::Kind::proceed,
                   .reply = {},
                   .header = changes_of(judged),
                   .remove_recipients = judged.plan.kept};
}

Async<Judged> InboundJudge::judge(std::shared_ptr<const Transaction> message) {
  const std::shared_ptr<const Rules> rules = context_.rules.get();
  const Time began = context_.clock.now();
  dns::Budget budget = context_.budget();
  auto recorded = std::make_unique<dns::Recorded>(context_.resolver);
  FactSources sources{.rules = *rules,
                      .authserv_id = authserv_id(*rules),
                      .resolver = *recorded,
                      .budget = budget,
                      .reputation = context_.reputation,
                      .keys = keys_,
                      .now = began};
  Facts facts = co_await gather_facts(std::move(message), sources);
  Judged judged{.facts = std::move(facts)};
  judged.rules = rules;
  judged.dns = std::move(recorded);
  judged.at = context_.clock.now();
  judged.took = judged.at - began;
  judged.reasons = reasons_of(judged.facts, *rules, judged.at);
  conclude(judged);
  co_return judged;
}

void InboundJudge::remember(const Judged& judged) {
  if (!judged.deed) return;
  for (const Vouching& one : judged.facts.vouching) {
    context_.reputation.note(one.party, one.name, *judged.deed, judged.at);
  }
}

}  // namespace watchpost::border
