#include "border/inbound/judge.h"

#include "base/host_name.h"
#include "border/dispositions.h"
#include "border/inbound/filters.h"
#include "border/inbound/header_changes.h"
#include "border/inbound/policy.h"
#include "border/inbound/weigh.h"

#include <iterator>
#include <utility>

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
  weigh(all);
  return all;
}

// From weighed reasons to what the mail server is told.
void InboundJudge::conclude(Judged& judged) const {
  const BorderSettings& settings = judged.rules->settings;
  MailVerdict& verdict = judged.verdict;
  verdict.decided = decided_by(judged.reasons);
  const CarryingOut how{
      .mode = mode_,
      .in_place_of_quarantine = disposition_of(settings.quarantine, Disposition::tempfail),
      .storing = !context_.storing || context_.storing()};
  verdict.carried_out = carried_out(verdict.decided, how);
  for (const Reason& one : judged.reasons) verdict.reasons.push_back(one.said);
  judged.deed = deed_of(judged.reasons);
  judged.answer.kind = kind_of(verdict.carried_out);
  if (judged.answer.kind != Answer::Kind::proceed) {
    judged.answer.reply = reply_of(deciding(judged.reasons), verdict.carried_out, settings.contact);
  } else if (mode_ != Mode::shadow) {
    judged.answer.header =
        header_changes(judged.facts, {.decided = verdict.decided,
                                      .tagged = verdict.carried_out == Disposition::tag,
                                      .reasons = &judged.reasons,
                                      .settings = &settings,
                                      .authserv_id = &authserv_id(*judged.rules)});
  }
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
