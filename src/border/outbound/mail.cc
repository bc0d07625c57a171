#include "border/outbound/mail.h"

#include "border/envelope.h"
#include "border/outbound/hygiene.h"
#include "model/teller.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace watchpost::border {

OutboundMail look_at(const Transaction& mail, const Rules& rules,
                     const auth::PublicSuffixes* suffixes) {
  OutboundMail made{.message = mime::Message::read(mail.message)};
  made.authors = auth::authors_of(made.message);
  made.traits = traits_of(made.message, made.authors.domains, suffixes);
  made.authorship =
      authorship_of(mail.login(), made.authors, has_whole_header(mail, made.message), rules);
  if (const auto found = finding_of(made.authorship); !found.empty()) {
    made.findings.push_back(found);
  }
  for (const std::string_view word :
       hygiene_of(made.message, made.traits, recipients_of(mail), made.authors.domains, suffixes)) {
    made.findings.push_back(word);
  }
  if (mail.cut) made.findings.emplace_back("large");
  return made;
}

Event& session_event(const Transaction& mail, EventBatch& batch) {
  Event& event = batch.add();
  event.kind = EventKind::accepted;
  event.at = mail.began;
  const auto set = [&](Field field, std::string_view text) { event[field] = batch.keep(text); };
  event[Field::service] = kMilterService;
  set(Field::host, mail.macro("j"));
  set(Field::queue_id, mail.queue_id());
  set(Field::credential, mail.login());
  set(Field::method, mail.macro("auth_type"));
  set(Field::sender, sender_of(mail.mail_from));
  if (mail.client_ip) set(Field::client_ip, unmapped(*mail.client_ip).text());
  return event;
}

Event& message_event(const Transaction& mail, const OutboundMail& looked_at, EventBatch& batch) {
  Event& event = session_event(mail, batch);
  event.recipients = recipients_of(mail);
  event.size = mail.size;
  event[Field::message_id] = batch.keep(message_id_of(looked_at.message));
  if (looked_at.authors.certain() && looked_at.authors.domains.size() == 1) {
    event[Field::author_domain] = batch.keep(looked_at.authors.domains.front());
  }
  event[Field::subject_hash] = batch.keep(looked_at.traits.subject_hash);
  event[Field::link_host] = batch.keep(looked_at.traits.foreign_link_host);
  event[Field::findings] = batch.keep(fmt::format("{}", fmt::join(looked_at.findings, " ")));
  return event;
}

}  // namespace watchpost::border
