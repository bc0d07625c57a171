#include "feedback/attribution/feedback_events.h"

#include "base/ascii.h"
#include "crypto/digest.h"
#include "feedback/reports/complaint_text.h"
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
  Event* add(EventKind kind, const Attributed& found);
  EventId id_of(EventKind kind, const Attributed& found);
  void take_report(const RecipientReport& report, const Attributed& found, Event& event);
  std::string_view keep(std::string_view text) { return made_.events.keep(text); }

  const FeedbackMail& mail_;
  const Attribution& attribution_;
  const FeedbackFrame& frame_;
  const Mapping& mapping_;
  SentMail* sent_;
  FeedbackEvents made_;
  std::optional<EventId> bytes_id_;
};

EventId Maker::id_of(EventKind kind, const Attributed& found) {
  if (found.token) return id_of_feedback(*found.token, kind);
  if (!bytes_id_) bytes_id_ = id_of_bytes(frame_.bytes);
  return hash128(fmt::format("{} {} {}", to_hex(*bytes_id_), name_of(kind),
                             suppression_key(found.clue.recipient)));
}

// Null where this mail has brought that event already.
Event* Maker::add(EventKind kind, const Attributed& found) {
  const EventId id = id_of(kind, found);
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
    Event* const event = add(*kind, found);
    if (event == nullptr) continue;
    take_report(report, found, *event);
    mapping_.apply(*event, made_.events);
  }
  if (!mail_.recipients.empty() || mail_.kind != MailKind::bounce) return;
  // A notice that names nobody, and yet came to a return path that does.
  const Attributed found = attribution_.of("");
  if (!found.proven() && found.clue.recipient.empty()) return;
  if (Event* const event = add(EventKind::bounced, found)) {
    take_report({}, found, *event);
    mapping_.apply(*event, made_.events);
  }
}

// A complaint and what takes it back may come in either order. The first of a token is remembered
// by its id, and of each kind there is but one: so one takes back one.
void Maker::judge_order(EventKind kind, Attributed& found) {
  const auto came = [&](EventKind one) {
    return sent_ != nullptr && sent_->came(id_of(one, found));
  };
  if (kind == EventKind::complained) {
    if (found.token && came(EventKind::complaint_withdrawn)) found.proof = kWithdrawnAlready;
    return;
  }
  if (came(EventKind::complained)) return;
  found.proof = kNothingToTakeBack;
  // Who has a key of their own could take back all that is to come: theirs is not remembered.
  if (found.token && found.token->limited) found.token.reset();
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
    Event* const event = add(kind, found);
    if (event == nullptr) continue;
    (*event)[Field::reply] = keep(mail_.complaint->feedback_type);
    if (!found.proven() && found.source_ip.empty()) {
      (*event)[Field::source_ip] = keep(mail_.complaint->source_ip);
    }
    mapping_.apply(*event, made_.events);
  }
}

void Maker::add_unsubscribed() {
  // "kim@example.com TOKEN"
  const std::string_view said = mail_.unsubscribe;
  const std::string_view who = said.substr(0, said.find(' '));
  Attributed found = attribution_.of("");
  // Who asks may be somebody else: a forwarded mail has the link of another in it.
  if (!found.proven() && found.clue.recipient.empty()) found.clue.recipient = who;
  Event* const event = add(EventKind::unsubscribed, found);
  if (event != nullptr) mapping_.apply(*event, made_.events);
}

}  // namespace

FeedbackEvents events_of(const FeedbackMail& mail, const Attribution& attribution,
                         const FeedbackFrame& frame, const Mapping& mapping, SentMail* sent) {
  return Maker(mail, attribution, frame, mapping, sent).make();
}

}  // namespace watchpost::feedback
