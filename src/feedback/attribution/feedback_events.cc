#include "feedback/attribution/feedback_events.h"

#include "base/ascii.h"
#include "crypto/digest.h"
#include "feedback/reports/complaint_text.h"
#include "model/feedback_proof.h"
#include "model/suppression.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace watchpost::feedback {
namespace {

// Strangers choose the bytes: only a digest that nobody can bend keeps two mails apart.
EventId id_of_bytes(std::string_view bytes) {
  const crypto::Sha256 digest = crypto::sha256(bytes);
  EventId id;
  std::memcpy(&id.high, digest.data(), sizeof id.high);
  std::memcpy(&id.low, digest.data() + sizeof id.high, sizeof id.low);
  return id;
}

// The same however its blanks and line ends were changed on the way: what no signature of DKIM
// covers (RFC 6376 section 3.4) must not make another report of it.
EventId id_of_body(std::string_view mail) {
  const size_t end = std::min(mail.find("\r\n\r\n"), mail.find("\n\n"));
  std::string body(end == std::string_view::npos ? std::string_view() : mail.substr(end));
  std::erase_if(body, [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; });
  return id_of_bytes(body);
}

// Of the same feedback, told in part.
EventId in_part(const EventId& id) { return hash128(to_hex(id), 1); }

// Given up after being tried for long (RFC 3463 section 3.5: X.4.7), and not refused.
bool is_expired(const RecipientReport& report) {
  return report.status.starts_with('4') || report.status.ends_with(".4.7");
}

std::optional<EventKind> kind_of(const RecipientReport& report) {
  switch (report.action) {
    case Action::failed: return is_expired(report) ? EventKind::expired : EventKind::bounced;
    case Action::delayed: return EventKind::deferred;
    case Action::none:
    case Action::delivered:
    case Action::relayed:
    case Action::expanded: break;
  }
  return std::nullopt;
}

// XARF is for abuse of all kinds: break-ins, copyright, open ports.
bool is_about_mail(const FeedbackMail& mail) {
  const Complaint& complaint = *mail.complaint;
  return complaint.format != "xarf" || complaint.feedback_type == "abuse" ||
         !mail.original.fields.empty();
}

// Given up is given up, whichever word the report has for it.
EventKind kind_counted(EventKind kind) {
  return kind == EventKind::expired ? EventKind::bounced : kind;
}

// A notice that does not say why.
bool says_nothing(const RecipientReport& report) {
  return report.class_name.empty() || report.class_name == "unclassified";
}

class Maker {
 public:
  Maker(const FeedbackMail& mail, const Attribution& attribution, const FeedbackFrame& frame,
        const Mapping& mapping, SentMail* sent)
      : mail_(mail), attribution_(attribution), frame_(frame), mapping_(mapping), sent_(sent) {}

  FeedbackEvents make() && {
    switch (mail_.kind) {
      case MailKind::bounce:
      case MailKind::delay: add_delivery_results(); break;
      case MailKind::complaint: add_complaints(EventKind::complained); break;
      case MailKind::complaint_withdrawn: add_complaints(EventKind::complaint_withdrawn); break;
      case MailKind::unsubscribe: add_unsubscribed(); break;
      case MailKind::delivery:
      case MailKind::auth_failure:
      case MailKind::auto_reply:
      case MailKind::challenge:
      case MailKind::other: made_.nothing = name_of(mail_.kind); break;
    }
    if (made_.events.empty() && made_.nothing.empty()) made_.nothing = "no_recipient";
    return std::move(made_);
  }

 private:
  void add_delivery_results();
  void add_complaints(EventKind kind);
  void add_unsubscribed();
  void judge_order(EventKind kind, Attributed& found);
  bool is_there(const EventId& id) const;
  bool came(EventKind kind, const Attributed& found);
  Event* add(EventKind kind, Attributed found, const RecipientReport* report = nullptr);
  EventId id_of(EventKind kind, const Attributed& found);
  EventId spend(EventKind kind, Attributed& found, bool in_part_only);
  void take_report(const RecipientReport& report, const Attributed& found, Event& event);
  std::string_view keep(std::string_view text) { return made_.events.keep(text); }

  const FeedbackMail& mail_;
  const Attribution& attribution_;
  const FeedbackFrame& frame_;
  const Mapping& mapping_;
  SentMail* sent_;
  FeedbackEvents made_;
  // Made when they are asked for.
  EventId bytes_id_;
  EventId body_id_;
};

EventId Maker::id_of(EventKind kind, const Attributed& found) {
  // A customer's key makes as many tokens for one mail as its owner likes: the mail is what counts.
  const bool as_mail = found.known && !found.clue.recipient.empty();
  const bool by_reporter = found.proof == kProvenByReporter;
  if (found.token && !(found.token->limited && as_mail)) {
    return id_of_feedback(*found.token, kind);
  }
  if (found.token) {
    // It may have come when the mail was not known yet.
    const EventId of_token = id_of_feedback(*found.token, kind);
    if (is_there(of_token) || is_there(in_part(of_token))) return of_token;
  }
  if ((found.token || by_reporter) && as_mail) {
    return hash128(fmt::format("feedback {} of mail {} {}", name_of(kind_counted(kind)),
                               found.message_id, suppression_key(found.clue.recipient)));
  }
  EventId& own = by_reporter ? body_id_ : bytes_id_;
  if (own == EventId{}) own = by_reporter ? id_of_body(frame_.bytes) : id_of_bytes(frame_.bytes);
  return hash128(
      fmt::format("{} {} {}", to_hex(own), name_of(kind), suppression_key(found.clue.recipient)));
}

// Before this mail, or in it.
bool Maker::is_there(const EventId& id) const {
  const auto& all = made_.events.events();
  return std::ranges::find(all, id, &Event::id) != all.end() ||
         (sent_ != nullptr && sent_->came(id));
}

bool Maker::came(EventKind kind, const Attributed& found) {
  const EventId id = id_of(kind, found);
  return is_there(id) || is_there(in_part(id));
}

// The id of an event that proved itself. What leaves open whom or what it is about counts, and yet
// leaves room for the report that says it: that one counts no more, but may suppress.
EventId Maker::spend(EventKind kind, Attributed& found, bool in_part_only) {
  const EventId whole = id_of(kind, found);
  const EventId part = in_part(whole);
  if (in_part_only) return is_there(whole) ? whole : part;
  if (!is_there(whole) && is_there(part)) found.proof = kToldInPart;
  return whole;
}

// Null where this mail has brought that event already.
Event* Maker::add(EventKind kind, Attributed found, const RecipientReport* report) {
  const bool open = found.clue.recipient.empty() || (report != nullptr && says_nothing(*report));
  const bool counts = found.proven();
  const EventId id = counts ? spend(kind, found, open) : id_of(kind, found);
  const auto& all = std::as_const(made_.events).events();
  if (std::ranges::find(all, id, &Event::id) != all.end()) return nullptr;
  Event& event = made_.events.add();
  event.id = id;
  event.at = frame_.at;
  event.kind = kind;
  event.direction = Direction::outbound;
  if (found.sent) {
    const std::chrono::duration<double> since = frame_.at - *found.sent;
    event.delay = std::max(0.0, since.count());
  }
  event[Field::source] = keep(frame_.source);
  event[Field::reporter] = keep(frame_.reporter);
  event[Field::customer] = keep(found.clue.customer);
  event[Field::campaign] = keep(found.clue.campaign);
  event[Field::credential] = keep(found.clue.credential);
  event[Field::recipient] = keep(found.clue.recipient);
  event[Field::source_ip] = keep(found.source_ip);
  event[Field::sender] = keep(found.sender);
  event[Field::queue_id] = keep(found.queue_id);
  event[Field::message_id] = keep(found.message_id);
  event[Field::attribution] = keep(found.way);
  event[Field::proof] = keep(found.proof);
  if (report != nullptr) take_report(*report, found, event);
  mapping_.apply(event, made_.events);
  // What a customer says of mail that we do not know is evidence about that customer alone.
  if (found.by_customers_key() && !found.known) event[Field::provider] = {};
  return &event;
}

void Maker::take_report(const RecipientReport& report, const Attributed& found, Event& event) {
  event.reply_code = report.reply_code;
  event[Field::status] = keep(report.status);
  event[Field::reply] = keep(report.diagnostic);
  event[Field::peer_host] = keep(report.remote_mta);
  event[Field::class_] = keep(report.class_name.empty() ? "unclassified" : report.class_name);
  event[Field::class_rule] = keep(report.class_name.empty() ? "none" : report.rule);
  if (report.recipient != found.clue.recipient && !report.recipient.empty()) {
    event[Field::original_recipient] = keep(found.clue.recipient);
  }
}

void Maker::add_delivery_results() {
  for (const RecipientReport& report : mail_.recipients) {
    const auto kind = kind_of(report);
    if (!kind) continue;
    Attributed found = attribution_.of(report.recipient, report.original_recipient);
    if (found.failed_before && *kind != EventKind::deferred) found.proof = kSeenAlready;
    add(*kind, std::move(found), &report);
  }
  if (!mail_.recipients.empty() || mail_.kind != MailKind::bounce) return;
  // A notice that names nobody, and yet came to a return path that does.
  Attributed found = attribution_.of("");
  if (!found.proven() && found.clue.recipient.empty()) return;
  const RecipientReport nothing_said;
  add(EventKind::bounced, std::move(found), &nothing_said);
}

// A complaint and what takes it back may come in either order. The first of a token is remembered
// by its id, and of each kind there is but one: so one takes back one.
void Maker::judge_order(EventKind kind, Attributed& found) {
  if (kind == EventKind::complained) {
    if (came(EventKind::complaint_withdrawn, found)) found.proof = kWithdrawnAlready;
    return;
  }
  // Whoever has a customer's key could take back all that people say of that customer's mail.
  if (found.by_customers_key()) {
    found.proof = kInOwnCause;
    found.token.reset();
  } else if (!came(EventKind::complained, found)) {
    found.proof = kNothingToTakeBack;
  }
}

void Maker::add_complaints(EventKind kind) {
  if (!mail_.complaint || !is_about_mail(mail_)) {
    made_.nothing = "no_mail";
    return;
  }
  std::vector<std::string> recipients = mail_.complaint->original_rcpt_to;
  // Those who cannot be known again are one: it is one mail that is complained about.
  std::erase_if(recipients, [](const std::string& one) {
    return suppression_key(one).empty() || is_redacted(one);
  });
  if (recipients.empty()) recipients.emplace_back();
  for (const std::string& recipient : recipients) {
    Attributed found = attribution_.of(recipient);
    if (found.proven()) judge_order(kind, found);
    if (!found.proven() && found.source_ip.empty()) found.source_ip = mail_.complaint->source_ip;
    Event* const event = add(kind, std::move(found));
    if (event != nullptr) (*event)[Field::reply] = keep(mail_.complaint->feedback_type);
  }
}

void Maker::add_unsubscribed() {
  // "kim@example.com TOKEN"
  const std::string_view said = mail_.unsubscribe;
  const std::string_view who = said.substr(0, said.find(' '));
  Attributed found = attribution_.of("");
  // Who asks may be somebody else: a forwarded mail has the link of another in it.
  if (!found.proven() && found.clue.recipient.empty()) found.clue.recipient = who;
  add(EventKind::unsubscribed, std::move(found));
}

}  // namespace

FeedbackEvents events_of(const FeedbackMail& mail, const Attribution& attribution,
                         const FeedbackFrame& frame, const Mapping& mapping, SentMail* sent) {
  return Maker(mail, attribution, frame, mapping, sent).make();
}

}  // namespace watchpost::feedback
