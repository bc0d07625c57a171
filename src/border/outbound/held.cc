#include "border/outbound/held.h"

#include "border/envelope.h"

#include <algorithm>
#include <unordered_set>

namespace watchpost::border {
namespace {

void add_content(const OutboundMail& looked_at, quarantine::HeldMessage& message) {
  message.message_id = held_text(message_id_of(looked_at.message));
  message.subject = held_text(looked_at.traits.subject);
  std::string authors;
  for (const mime::Address& one : looked_at.authors.addresses) {
    if (!authors.empty()) authors += ' ';
    authors += one.text();
  }
  message.author = held_text(authors);
}

// The verdict's reason for a part.
const VerdictReason* reason_for(const HeldPart& part, const MailVerdict& verdict) {
  const auto found = std::ranges::find_if(verdict.reasons, [&](const VerdictReason& one) {
    if (part.hold) return one.rule == rule_of(*part.hold);
    return one.recipients.empty() && one.wants == Disposition::quarantine;
  });
  return found == verdict.reasons.end() ? nullptr : &*found;
}

}  // namespace

std::vector<HeldPart> parts_of(const std::vector<Hold>& holds, const Transaction& mail, bool all) {
  std::vector<HeldPart> parts;
  std::unordered_set<std::string_view> under_hold;
  for (const Hold& one : holds) {
    parts.push_back({.hold = one.decision, .recipients = one.recipients});
    under_hold.insert(one.recipients.begin(), one.recipients.end());
  }
  if (!all) return parts;
  HeldPart rest;
  for (const Recipient& one : mail.recipients) {
    if (!under_hold.contains(one.address)) rest.recipients.push_back(one.address);
  }
  if (!rest.recipients.empty()) parts.push_back(std::move(rest));
  return parts;
}

HeldMail held_mail(std::string_view milter, Mode mode, std::string_view rules,
                   const OutboundJudged& judged, const Event& event, const HeldPart& part) {
  HeldMail made = held_mail(judged.mail, milter, Direction::outbound, part.recipients);
  quarantine::HeldMessage& message = made.message;
  message.at = judged.at;
  add_content(judged.looked_at, message);
  message.author_domain = held_text(event[Field::author_domain]);
  message.customer = held_text(event[Field::customer]);
  message.campaign = held_text(event[Field::campaign]);
  if (part.hold) message.decision = part.hold->id;
  if (const VerdictReason* const reason = reason_for(part, judged.verdict)) {
    message.disposition = name_of(reason->wants);
    message.rule = held_text(reason->rule);
    message.reason = held_text(reason->words);
  }
  made.content.verdict = outbound_verdict_json(milter, mode, rules, judged);
  return made;
}

void tell_as_held(const quarantine::HeldMessage& held, Event& event, EventBatch& batch) {
  const auto set = [&](Field field, std::string_view text) {
    if (!text.empty()) event[field] = batch.keep(text);
  };
  set(Field::credential, held.login);
  set(Field::client_ip, held.client_ip);
  set(Field::customer, held.customer);
  set(Field::campaign, held.campaign);
}

}  // namespace watchpost::border
