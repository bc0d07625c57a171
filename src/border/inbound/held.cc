#include "border/inbound/held.h"

#include "border/envelope.h"
#include "border/inbound/event.h"
#include "border/inbound/weigh.h"
#include "border/release.h"
#include "border/verdict_json.h"

#include <algorithm>

namespace watchpost::border {
namespace {

void add_checks(const auth::Identity& identity, quarantine::HeldMessage& message) {
  if (identity.spf_mail_from.asked) message.spf = name_of(identity.spf_mail_from.result);
  if (identity.connection.login.empty()) message.dmarc = name_of(identity.dmarc.result);
}

void add_author(const Facts& facts, quarantine::HeldMessage& message) {
  std::string authors;
  for (const mime::Address& one : facts.identity.authors.addresses) {
    if (!authors.empty()) authors += ' ';
    authors += one.text();
  }
  message.author = held_text(authors);
  message.author_domain = held_text(facts.author_domain);
}

// By the reasons that hold for any of those whose copies are kept.
void add_reasons(const Judged& judged, quarantine::HeldMessage& message) {
  const bool all = judged.plan.kept.empty();
  const std::vector<Reason> some =
      all ? std::vector<Reason>() : reasons_for(judged.reasons, judged.plan.kept);
  const std::vector<Reason>& reasons = all ? judged.reasons : some;
  if (const Reason* const reason = deciding(reasons)) {
    message.disposition = name_of(reason->said.wants);
    message.rule = held_text(reason->said.rule);
    message.reason = held_text(reason->said.words);
  }
  message.certain = std::ranges::any_of(
      reasons, [](const Reason& one) { return one.certain && one.said.in_force; });
}

void add_counted(const Judged& judged, quarantine::HeldMessage& message) {
  if (!judged.deed) return;
  for (const Vouching& one : judged.facts.vouching) {
    message.counted.push_back({.party = std::string(name_of(one.party)),
                               .name = one.name,
                               .deed = std::string(name_of(*judged.deed))});
  }
}

}  // namespace

HeldMail held_mail(std::string_view milter, Mode mode, const Judged& judged) {
  const Facts& facts = judged.facts;
  HeldMail made = held_mail(*facts.transaction, milter, Direction::inbound, judged.plan.kept);
  quarantine::HeldMessage& message = made.message;
  message.at = judged.at;
  message.message_id = held_text(facts.message_id);
  message.subject = held_text(facts.traits.subject);
  add_author(facts, message);
  add_checks(facts.identity, message);
  add_reasons(judged, message);
  add_counted(judged, message);
  made.content.verdict = verdict_json(milter, mode, judged);
  return made;
}

Event& released_event(const Transaction& mail, const quarantine::HeldMessage& held,
                      EventBatch& batch) {
  Event& event = batch.add();
  event = inbound_event(mail, batch);
  event.recipients = recipients_of(mail);
  event.size = mail.size;
  event.self_inflicted = true;
  const auto set = [&](Field field, std::string_view text) { event[field] = batch.keep(text); };
  set(Field::queue_id, mail.queue_id());
  set(Field::credential, held.login);
  set(Field::client_ip, held.client_ip);
  set(Field::message_id, held.message_id);
  set(Field::author_domain, held.author_domain);
  if (!mail.recipients.empty()) set(Field::recipient, mail.recipients.front().address);
  event[Field::disposition] = name_of(Disposition::accept);
  event[Field::findings] = kReleased;
  return event;
}

}  // namespace watchpost::border
