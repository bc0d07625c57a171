#include "border/outbound/conclude.h"

#include "border/held_mail.h"

#include <algorithm>
#include <functional>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

namespace watchpost::border {
namespace {

VerdictReason reason_of(const Decision& decision, Disposition wants, bool in_force) {
  return {.rule = rule_of(decision),
          .wants = wants,
          .in_force = in_force,
          .words = fmt::format("{} is under {}", decision.scope.text(), decision.measure.text())};
}

void add_author(const OutboundJudged& judged, bool in_force, const BorderSettings& settings,
                std::vector<VerdictReason>& reasons) {
  const Authorship authorship = judged.looked_at.authorship;
  const Disposition author = disposition_of(settings.foreign_author, Disposition::accept);
  const bool objects = authorship == Authorship::foreign || authorship == Authorship::uncertain;
  if (!objects || author == Disposition::accept) return;
  reasons.push_back({.rule = std::string(finding_of(authorship)),
                     .wants = author,
                     .in_force = in_force,
                     .words = fmt::format("not every author is known to belong to the login {}",
                                          judged.mail.login())});
}

std::vector<VerdictReason> reasons_for(const OutboundJudged& judged, const OutboundCase& against,
                                       const BorderSettings& settings) {
  const bool in_force = against.mode == Mode::enforce;
  std::vector<VerdictReason> reasons;
  for (const Hold& one : against.holds) {
    const bool kept = against.keeping == Keeping::taken;
    VerdictReason reason =
        reason_of(one.decision, kept ? Disposition::quarantine : Disposition::tempfail, in_force);
    if (one.recipients.size() < judged.mail.recipients.size()) reason.recipients = one.recipients;
    reasons.push_back(std::move(reason));
  }
  if (against.decision) {
    reasons.push_back(
        reason_of(*against.decision, disposition_of(against.decision->measure), in_force));
  }
  add_author(judged, in_force, settings, reasons);
  std::ranges::stable_sort(reasons, std::ranges::greater(), &VerdictReason::wants);
  return reasons;
}

std::vector<Share> shares_of(const OutboundJudged& judged, const CarryingOut& how) {
  Disposition for_all = Disposition::accept;
  Disposition for_some = Disposition::accept;
  std::unordered_set<std::string_view> some;
  for (const VerdictReason& one : judged.verdict.reasons) {
    Disposition& most = one.recipients.empty() ? for_all : for_some;
    most = std::max(most, where_mail_leaves(one.wants, how));
    some.insert(one.recipients.begin(), one.recipients.end());
  }
  if (some.empty()) return {{.recipient = {}, .done = for_all}};
  std::vector<Share> shares;
  for (const Recipient& one : judged.mail.recipients) {
    shares.push_back({.recipient = one.address,
                      .done = some.contains(one.address) ? std::max(for_all, for_some) : for_all});
  }
  return shares;
}

std::string reply_of(const OutboundJudged& judged, const OutboundCase& against,
                     const BorderSettings& settings) {
  const Disposition done = judged.verdict.carried_out;
  if (against.decision && disposition_of(against.decision->measure) == done) {
    return enforce::action_for(*against.decision, settings.contact);
  }
  if (!against.holds.empty() && done == Disposition::tempfail) {
    return enforce::action_for(against.holds.front().decision, settings.contact);
  }
  return reply_for(done, "The author of this mail is not known to belong to this login",
                   settings.contact);
}

std::string with_mark(std::string_view reply, std::string_view contact) {
  const std::string whom = contact.empty() ? std::string() : fmt::format("; contact {}", contact);
  return fmt::format("{}{} {}", reply, whom, kMark);
}

}  // namespace

bool refuses(Disposition disposition) {
  return disposition == Disposition::tempfail || disposition == Disposition::reject;
}

Disposition where_mail_leaves(Disposition wanted, const CarryingOut& how) {
  const Disposition done = carried_out(wanted, how);
  return done == Disposition::tag ? Disposition::accept : done;
}

std::string reply_for(Disposition disposition, std::string_view words, std::string_view contact) {
  const std::string_view code = disposition == Disposition::reject ? "550 5.7.1" : "451 4.7.1";
  return with_mark(fmt::format("{} {}", code, words), contact);
}

void put_off(OutboundJudged& judged, std::string why, const BorderSettings& settings) {
  judged.verdict.carried_out = Disposition::tempfail;
  judged.verdict.reasons.insert(judged.verdict.reasons.begin(), {.rule = std::string(kNotKeptRule),
                                                                 .wants = Disposition::tempfail,
                                                                 .in_force = true,
                                                                 .words = std::move(why)});
  judged.plan = {.whole = Disposition::tempfail};
  judged.reply = with_mark(kNotKept, settings.contact);
}

void conclude(OutboundJudged& judged, const OutboundCase& against, const BorderSettings& settings) {
  MailVerdict& verdict = judged.verdict;
  verdict.reasons = reasons_for(judged, against, settings);
  if (against.mode != Mode::enforce) return;
  for (const VerdictReason& one : verdict.reasons) {
    verdict.decided = std::max(verdict.decided, one.wants);
  }
  const CarryingOut how{
      .mode = against.mode,
      .in_place_of_quarantine = disposition_of(settings.quarantine, Disposition::tempfail),
      .keeping = against.keeping};
  judged.plan = plan_of(shares_of(judged, how), how.keeping == Keeping::taken);
  verdict.carried_out = judged.plan.keeps() ? Disposition::quarantine : judged.plan.whole;
  const bool not_kept =
      against.keeping == Keeping::not_now && verdict.carried_out == Disposition::tempfail;
  if (not_kept) put_off(judged, std::string(why_not_kept(judged.mail)), settings);
  if (!refuses(verdict.carried_out)) return;
  const bool by_decision = against.decision || !against.holds.empty();
  if (!not_kept || by_decision) judged.reply = reply_of(judged, against, settings);
}

}  // namespace watchpost::border
