#include "border/inbound/event.h"

#include "base/hash.h"
#include "border/envelope.h"

#include <string>

#include <fmt/format.h>

namespace watchpost::border {
namespace {

Event event_of(const Transaction& mail) {
  Event event;
  event.kind = EventKind::judged;
  event.direction = Direction::inbound;
  event.at = mail.began;
  event[Field::queue_id] = mail.queue_id();
  event[Field::credential] = mail.login();
  return event;
}

}  // namespace

Event inbound_event(const Transaction& mail, EventBatch& batch) {
  Event event = event_of(mail);
  event[Field::sender] = batch.keep(sender_of(mail.mail_from));
  if (mail.client_ip) event[Field::client_ip] = batch.keep(unmapped(*mail.client_ip).text());
  return event;
}

Event inbound_event(const Facts& facts) {
  const Transaction& mail = *facts.transaction;
  const auto name_of_party = [&](relate::Party party) {
    const Vouching* const one = facts.first(party);
    return one == nullptr ? std::string_view() : std::string_view(one->name);
  };
  Event event = event_of(mail);
  event.recipients = recipients_of(mail);
  event.size = mail.size;
  if (!mail.recipients.empty()) event[Field::recipient] = mail.recipients.front().address;
  event[Field::sender] = facts.sender;
  event[Field::client_ip] = name_of_party(relate::Party::ip);
  event[Field::signer] = name_of_party(relate::Party::signer);
  event[Field::message_id] = facts.message_id;
  event[Field::author_domain] = facts.author_domain;
  event[Field::subject_hash] = facts.traits.subject_hash;
  event[Field::link_host] = facts.traits.foreign_link_host;
  event[Field::findings] = facts.findings_text;
  return event;
}

EventId inbound_event_id(std::string_view milter, const Transaction& mail,
                         std::string_view recipient) {
  return hash128(fmt::format("inbound\n{}\n{}\n{}\n{}", milter, mail.queue_id(), instance_of(mail),
                             recipient));
}

}  // namespace watchpost::border
