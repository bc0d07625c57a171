#include "simulate/event_writer.h"

#include "simulate/letter_text.h"

namespace watchpost::simulate {
namespace {

EventKind kind_of(Happening what) {
  switch (what) {
    case Happening::login_failed: return EventKind::login;
    case Happening::accepted: return EventKind::accepted;
    case Happening::delivered: return EventKind::delivered;
    case Happening::deferred: return EventKind::deferred;
    case Happening::bounced:
    case Happening::bounced_late: return EventKind::bounced;
    case Happening::expired: return EventKind::expired;
    case Happening::complained: return EventKind::complained;
    case Happening::unsubscribed: return EventKind::unsubscribed;
  }
  return EventKind::accepted;
}

}  // namespace

EventWriter::EventWriter(const Platform& platform, const feedback::Classifier& classifier)
    : platform_(platform) {
  const Mailbox somebody;
  for (const Reply& reply : replies()) {
    Known& one = known_.emplace_back();
    std::string text;
    append_reply(text, reply, somebody);
    append_status(one.status, reply);
    one.verdict = classifier.classify({reply.code, reply.status, text});
    if (reply.text.find('{') == std::string_view::npos) one.text = text;
  }
}

template <class Append>
std::string_view EventWriter::kept(EventBatch& into, Append append) {
  scratch_.clear();
  append(scratch_);
  return into.keep(scratch_);
}

Event& EventWriter::add(const Occurrence& occurrence, EventKind kind, EventBatch& into) {
  Event& event = into.add();
  event.id = {mixed(occurrence.letter.key, 41), ++serial_};
  event.at = occurrence.at;
  event.kind = kind;
  event[Field::source] = "simulated";
  event[Field::host] = "mx1.example";
  return event;
}

void EventWriter::add_letter(const Occurrence& occurrence, Event& event, EventBatch& into) {
  const Letter& letter = occurrence.letter;
  const Customer& customer = platform_.customer_of(letter);
  event.size = letter.size;
  event.recipients = letter.recipients;
  event[Field::queue_id] = kept(into, [&](auto& to) { append_queue_id(to, letter.key); });
  event[Field::message_id] = kept(into, [&](auto& to) { append_message_id(to, letter, customer); });
  event[Field::credential] = platform_.login_of(letter).name;
  event[Field::sender] = event[Field::credential];
  event[Field::from_domain] = customer.domain;
  event[Field::customer] = customer.domain;
  event[Field::client_ip] = kept(into, [&](auto& to) { append_address(to, letter.client); });
  event[Field::campaign] = kept(into, [&](auto& to) { platform_.append_campaign(to, letter); });
}

void EventWriter::add_recipient(const Occurrence& occurrence, Event& event, EventBatch& into) {
  const std::string_view recipient =
      kept(into, [&](auto& to) { append_recipient(to, occurrence.to); });
  event[Field::recipient] = recipient;
  event[Field::recipient_domain] = recipient.substr(recipient.find('@') + 1);
  event.delay = delay_of(occurrence);
  event[Field::source_ip] =
      kept(into, [&](auto& to) { append_address(to, platform_.source_of(occurrence.letter)); });
}

void EventWriter::add_reply(const Occurrence& occurrence, Event& event, EventBatch& into) {
  const Reply& reply = replies()[occurrence.reply];
  const Known& known = known_[occurrence.reply];
  event.reply_code = reply.code;
  event[Field::status] = known.status;
  event[Field::stage] = reply.stage;
  event[Field::reply] = known.text.empty()
                            ? kept(into, [&](auto& to) { append_reply(to, reply, occurrence.to); })
                            : std::string_view(known.text);
  if (reply.code != 0) {
    event[Field::peer_host] = kept(into, [&](auto& to) { append_mx(to, occurrence.to); });
    event[Field::peer_ip] = kept(into, [&](auto& to) { append_mx_ip(to, occurrence.to); });
  }
  if (event.kind == EventKind::delivered) return;
  event[Field::class_] = known.verdict.class_name;
  event[Field::class_rule] = known.verdict.rule;
}

void EventWriter::write(const Occurrence& occurrence, EventBatch& into) {
  const Letter& letter = occurrence.letter;
  if (occurrence.what == Happening::login_failed || occurrence.what == Happening::accepted) {
    const bool failed = occurrence.what == Happening::login_failed;
    Event& login = add(occurrence, EventKind::login, into);
    login[Field::service] = "submission/smtpd";
    login[Field::method] = "PLAIN";
    login[Field::outcome] = failed ? "failure" : "success";
    login[Field::client_ip] = kept(into, [&](auto& to) { append_address(to, letter.client); });
    const bool guessed = platform_.channel_of(letter).customer == Channel::kNone;
    if (guessed) {
      login[Field::credential] =
          kept(into, [&](auto& to) { append_guessed_login(to, platform_, letter.key); });
      const std::string_view name = login[Field::credential];
      login[Field::customer] = name.substr(name.find('@') + 1);
    } else {
      login[Field::credential] = platform_.login_of(letter).name;
      login[Field::customer] = platform_.customer_of(letter).domain;
    }
    if (failed) {
      login[Field::reply] = "authentication failure";
      return;
    }
    login[Field::queue_id] = kept(into, [&](auto& to) { append_queue_id(to, letter.key); });
  }
  Event& event = add(occurrence, kind_of(occurrence.what), into);
  add_letter(occurrence, event, into);
  if (occurrence.what == Happening::accepted) {
    event[Field::service] = "qmgr";
    return;
  }
  add_recipient(occurrence, event, into);
  if (occurrence.what == Happening::complained || occurrence.what == Happening::unsubscribed) {
    event[Field::service] = "feedback";
    return;
  }
  event[Field::service] = "smtp";
  if (occurrence.what == Happening::expired) {
    event[Field::reply] = "expired, returned to sender";
    return;
  }
  add_reply(occurrence, event, into);
}

}  // namespace watchpost::simulate
