#include "border/inbound/event.h"

#include "base/hash.h"
#include "base/text.h"
#include "mime/header.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace watchpost::border {
namespace {

// Message-ID without its angle brackets, as logs have it.
std::string_view message_id_of(const mime::Message& message, EventBatch& batch) {
  constexpr size_t kLongest = 998;
  const auto text = message.header().text("Message-ID");
  if (!text || text->size() > kLongest) return {};
  std::string_view id = *text;
  if (id.starts_with('<') && id.ends_with('>') && id.size() >= 2) id = id.substr(1, id.size() - 2);
  return batch.keep(id);
}

}  // namespace

Event& inbound_event(const Transaction& mail, EventBatch& batch) {
  Event& event = batch.add();
  event.kind = EventKind::judged;
  event.direction = Direction::inbound;
  event.at = mail.began;
  event[Field::queue_id] = mail.queue_id();
  event[Field::sender] = batch.keep(event_sender(mail.mail_from));
  event[Field::credential] = mail.login();
  if (mail.client_ip) event[Field::client_ip] = batch.keep(unmapped(*mail.client_ip).text());
  return event;
}

Event& inbound_event(const Facts& facts, EventBatch& batch) {
  const Transaction& mail = *facts.transaction;
  Event& event = inbound_event(mail, batch);
  if (!mail.recipients.empty()) event[Field::recipient] = mail.recipients.front().address;
  event.recipients =
      static_cast<uint32_t>(mail.recipients.size()) + mail.recipients_dropped;
  event.size = mail.size;
  event[Field::message_id] = message_id_of(facts.message, batch);
  event[Field::author_domain] = facts.author_domain;
  if (const Vouching* const signer = facts.first(relate::Party::signer)) {
    event[Field::signer] = signer->name;
  }
  event[Field::subject_hash] = facts.traits.subject_hash;
  event[Field::link_host] = facts.traits.foreign_link_host;
  event[Field::findings] = batch.keep(fmt::format("{}", fmt::join(facts.findings, " ")));
  return event;
}

EventId inbound_event_id(std::string_view milter, const Transaction& mail) {
  return hash128(fmt::format("inbound\n{}\n{}\n{} {}\n{}", milter, mail.queue_id(),
                             mail.client_ip ? mail.client_ip->text() : std::string(),
                             mail.client_port, mail.began.time_since_epoch().count()));
}

}  // namespace watchpost::border
