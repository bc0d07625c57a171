#include "feedback/formats/postfix_log_state.h"
#include "feedback/formats/postfix_text.h"

namespace watchpost::feedback {
namespace {

constexpr std::string_view kNullSender = "<>";

std::optional<EventKind> kind_of(std::string_view status) {
  if (same(status, "sent")) return EventKind::delivered;
  if (same(status, "deferred") || same(status, "SOFTBOUNCE")) return EventKind::deferred;
  if (same(status, "bounced")) return EventKind::bounced;
  if (same(status, "expired")) return EventKind::expired;
  return std::nullopt;
}

// The id in "250 2.0.0 Ok: queued as QID" and "forwarded as QID".
std::string_view next_queue_id(std::string_view text) {
  for (const std::string_view word : {"queued as ", "forwarded as "}) {
    const size_t at = text.rfind(word);
    if (at == std::string_view::npos) continue;
    const std::string_view id = text.substr(at + word.size());
    return id.substr(0, id.find_first_of(" )"));
  }
  return {};
}

}  // namespace

void PostfixLog::State::client(Line& line) {
  const ClientLine read = read_client(line.body);
  std::string_view address = read.client.ip;
  if (!read.original_client.ip.empty()) address = read.original_client.ip;
  if (!read.credential.empty()) {
    Event& event = line.events.add(EventKind::login);
    event[Field::outcome] = "success";
    event[Field::method] = line.events.kept(read.method);
    event[Field::credential] = line.events.kept(read.credential);
    event[Field::client_ip] = line.events.kept(address);
  }
  if (line.events.origin().queue_id.empty()) return;  // NOQUEUE: smtpd_proxy_filter
  OpenMessage& message = open.open(line.key);
  message.client_only = true;
  open.set(message, OpenMessage::credential, read.credential);
  open.set(message, OpenMessage::client_ip, address);
  if (read.original_queue_id.empty()) return;
  const MessageKey before = key_of(read.original_queue_id, line.key.instance);
  const OpenMessage* prior = open.find_on_host(before);
  if (prior == nullptr || prior == &message) return;
  // Back from a content filter: its accepted event is out already.
  message.accepted = prior->accepted;
  carry_over(*prior, message);
}

void PostfixLog::State::carry_over(const OpenMessage& from, OpenMessage& to) {
  for (const auto text : {OpenMessage::credential, OpenMessage::client_ip, OpenMessage::customer,
                          OpenMessage::campaign}) {
    if (!from[text].empty()) open.set(to, text, from[text]);
  }
}

void PostfixLog::State::login_failure(Line& line, const LoginFailure& failure) {
  Event& event = line.events.add(EventKind::login);
  event[Field::outcome] = "failure";
  event[Field::method] = line.events.kept(failure.method);
  event[Field::credential] = line.events.kept(failure.credential);
  event[Field::client_ip] = line.events.kept(failure.client.ip);
  event[Field::reply] = line.events.kept(failure.reason);
}

void PostfixLog::State::queue_line(Line& line) {
  const auto read = read_queue_line(line.body);
  if (!read) return unread.count("not_understood", line.text);
  if (!read->expired.empty()) return expired(line, *read);
  OpenMessage* message = known(line.key);
  if (message == nullptr) {
    // Its beginning was not seen: perhaps a second try of a message that was counted long ago.
    message = &open.open(line.key);
    message->accepted = true;
  }
  const bool first = !message->accepted;
  message->accepted = true;
  message->client_only = false;
  message->size = read->size;
  message->recipients = read->recipients;
  open.set(*message, OpenMessage::sender, read->sender.empty() ? kNullSender : read->sender);
  if (!first) return;
  line.events.join(line.events.add(EventKind::accepted), *message);
}

// qmgr gives up all recipients that are left, without naming them.
void PostfixLog::State::expired(Line& line, const QueueLine& queue) {
  Event& event = line.events.add(EventKind::expired);
  event[Field::sender] = queue.sender.empty() ? kNullSender : line.events.kept(queue.sender);
  event[Field::reply] = line.events.kept(queue.expired);
  if (const OpenMessage* const message = open.find(line.key)) {
    line.events.join(event, *message);
    if (message->recipients == 1) {
      event[Field::recipient] = line.events.copied((*message)[OpenMessage::deferred_recipient]);
    }
  }
  classify(line, event);
}

void PostfixLog::State::delivery(Line& line) {
  const auto read = read_delivery(line.body);
  if (!read) return unread.count("not_understood", line.text);
  if (same(read->status, "deliverable") || same(read->status, "undeliverable"))
    return;  // only a probe
  const auto kind = kind_of(read->status);
  if (!kind) return unread.count("unknown_status", line.text);
  const PostfixPeer relay = read_peer(read->relay);
  if (*kind == EventKind::delivered && is_internal_hop(line, *read, relay)) return;

  LineEvents& events = line.events;
  Event& event = events.add(*kind);
  event[Field::recipient] = events.kept(read->recipient);
  event[Field::original_recipient] = events.kept(read->original_recipient);
  event[Field::peer_host] = events.kept(relay.host);
  event[Field::peer_ip] = events.kept(relay.ip);
  event[Field::status] = events.kept(read->dsn);
  event[Field::reply] = events.kept(read->text);
  event.delay = read->delay;
  OpenMessage* const message = open.find(line.key);
  if (message != nullptr) events.join(event, *message);
  if (line.tag.daemon == PostfixDaemon::mailbox && event[Field::credential].empty()) {
    event.direction = Direction::inbound;
  }
  if (*kind == EventKind::delivered) {
    event.reply_code = read_smtp_reply(read->text).code;
    return;
  }
  if (message != nullptr && *kind == EventKind::deferred) {
    open.set(*message, OpenMessage::deferred_recipient, read->recipient);
  }
  failed(line, *read, event);
}

void PostfixLog::State::failed(Line& line, const DeliveryLine& delivery, Event& event) {
  LineEvents& events = line.events;
  const FailureText failure = read_failure(delivery.text);
  const SmtpReply reply = read_smtp_reply(failure.reply);
  event[Field::reply] = events.kept(failure.reply);
  event.reply_code = reply.code;
  event[Field::stage] = failure.stage;
  if (event[Field::status].empty()) event[Field::status] = events.kept(reply.status);
  if (event[Field::peer_host].empty() && event[Field::peer_ip].empty()) {
    event[Field::peer_host] = events.kept(failure.peer.host);
    event[Field::peer_ip] = events.kept(failure.peer.ip);
  }
  classify(line, event);
}

void PostfixLog::State::classify(Line& line, Event& event) {
  const ReplyVerdict verdict = classifier.classify(reply_of(event));
  event[Field::class_] = line.events.copied(verdict.class_name);
  event[Field::class_rule] = line.events.copied(verdict.rule);
}

// Handed to a content filter on this machine (or, by an alias, back to the queue), from where it
// came in again under another id that is still open: its deliveries are told there.
bool PostfixLog::State::is_internal_hop(Line& line, const DeliveryLine& delivery,
                                        const PostfixPeer& relay) {
  if (!is_loopback(relay.ip) && delivery.relay != "local") return false;
  const std::string_view id = next_queue_id(delivery.text);
  if (id.empty()) return false;
  OpenMessage* const next = open.find_on_host(key_of(id, line.key.instance));
  if (next == nullptr || next->key == line.key) return false;
  const OpenMessage* const message = open.find(line.key);
  if (message != nullptr && (*next)[OpenMessage::credential].empty()) carry_over(*message, *next);
  return true;
}

void PostfixLog::State::reject(Line& line, const std::optional<RejectLine>& read,
                               bool self_inflicted) {
  if (!read) return unread.count("not_understood", line.text);
  LineEvents& events = line.events;
  Event& event = events.add(EventKind::rejected);
  const SmtpReply reply = read_smtp_reply(read->reply);
  event.self_inflicted = self_inflicted;
  event.reply_code = reply.code;
  event[Field::status] = events.kept(reply.status);
  event[Field::reply] = events.kept(read->reply);
  event[Field::stage] = events.copied(read->stage);
  event[Field::client_ip] = events.kept(read->client.ip);
  event[Field::recipient] = events.kept(read->recipient);
  event[Field::credential] = events.kept(read->credential);
  event[Field::sender] = events.kept(read->sender);
  if (read->has_sender && read->sender.empty()) event[Field::sender] = kNullSender;
  if (line.tag.daemon == PostfixDaemon::postscreen) event.direction = Direction::inbound;
  if (events.origin().queue_id.empty()) return;
  const OpenMessage* const message = open.find_on_host(line.key);
  if (message != nullptr) events.join(event, *message);
}

}  // namespace watchpost::feedback
