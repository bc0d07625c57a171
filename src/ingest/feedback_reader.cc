#include "ingest/feedback_reader.h"

#include "base/text.h"
#include "feedback/attribution/feedback_events.h"
#include "feedback/reports/carried_mail.h"
#include "feedback/reports/complaint_text.h"
#include "feedback/reports/feedback_mail.h"
#include "feedback/reports/report_text.h"
#include "mime/address.h"
#include "mime/message.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace watchpost::ingest {
namespace {

using feedback::FeedbackMail;
using feedback::MailKind;

// Of a message: what is behind them was not read.
constexpr std::array<mime::Defect, 4> kLosing{mime::Defect::header_too_large,
                                              mime::Defect::too_deep, mime::Defect::too_many_parts,
                                              mime::Defect::decoded_too_large};

// Domain of From: who says that they are the reporter.
std::string claimed_reporter(const mime::Message& message) {
  constexpr size_t kLongestDomain = 255;
  const mime::Field* const from = message.header().find("From");
  if (from == nullptr) return {};
  const auto address = mime::first_address(from->body);
  if (!address) return {};
  std::string domain = lower_ascii(address->domain);
  if (domain.ends_with('.')) domain.pop_back();
  return domain.size() <= kLongestDomain ? escaped(domain) : std::string();
}

std::string null_sender(const std::string& sender) { return sender.empty() ? "<>" : sender; }

// What a report has more of than is read of any; one that has exactly as many may be kept as well.
std::string_view what_was_cut(const FeedbackMail& mail) {
  if (mail.recipients.size() >= feedback::kMostReportRecipients) {
    return "more recipients than are read";
  }
  for (const std::string& defect : mail.defects) {
    if (defect.starts_with("more ") || defect.starts_with("too many ")) return defect;
  }
  if (feedback::may_be_cut(mail.original)) return "more header fields of the mail than are read";
  if (!mail.complaint) return {};
  if (mail.complaint->original_rcpt_to.size() >= feedback::kMostComplaintValues) {
    return "more recipients than are read";
  }
  if (mail.complaint->fields.size() >= feedback::kMostComplaintFields) {
    return "more fields of the report than are read";
  }
  return {};
}

// Why it has to be seen by a person; empty where it has not.
std::string why_kept(const mime::Message& message, const FeedbackMail& mail,
                     const feedback::FeedbackEvents& made) {
  const std::string_view nothing = made.nothing;
  if (nothing == "other") return "it is no feedback: " + mail.why;
  if (nothing == "no_recipient") return "it names no recipient: " + mail.why;
  const auto events = made.events.events();
  if (mail.kind == MailKind::unsubscribe && !events.empty()) {
    if (events.front()[Field::recipient].empty()) {
      return "it asks to be taken off a list, and neither it nor its token says who";
    }
    if (events.front()[Field::proof] == feedback::kOtherRecipient) {
      return "it asks to be taken off a list, by a token that was made for somebody else";
    }
  }
  if (const std::string_view cut = what_was_cut(mail); !cut.empty()) {
    return fmt::format("not all of it was read: {}", cut);
  }
  for (const mime::Defect defect : kLosing) {
    if (!message.findings().has(defect)) continue;
    return fmt::format("not all of it was read: {}", mime::name_of(defect));
  }
  return {};
}

}  // namespace

FeedbackReader::FeedbackReader(std::shared_ptr<const feedback::AttributionRules> rules,
                               const feedback::Classifier& classifier,
                               const feedback::Mapping& mapping, feedback::SentMail* sent,
                               Metrics& metrics)
    : rules_(std::move(rules)),
      classifier_(classifier),
      mapping_(mapping),
      past_(sent),
      metrics_(metrics) {}

Arrival FeedbackReader::read(const FeedbackItem& item) {
  const auto rules = rules_.get();
  const mime::Message message = mime::Message::read(item.bytes);
  const FeedbackMail mail = feedback::read_feedback(message, classifier_);
  const std::string reporter =
      item.proven_reporter ? *item.proven_reporter : claimed_reporter(message);
  const feedback::Attribution attribution(mail, item.envelope,
                                          {.rules = *rules,
                                           .sent = &past_,
                                           .now = item.now.value_or(item.at),
                                           .proven_reporter = item.proven_reporter.has_value()});
  // Of a complaint and what takes it back, and of two reports of one thing, the one that is read
  // second must see the first.
  const std::lock_guard in_order(in_order_);
  feedback::FeedbackEvents made = feedback::events_of(
      mail, attribution,
      {.source = item.source, .reporter = reporter, .bytes = item.bytes, .at = item.at}, mapping_,
      &past_);
  Arrival arrival;
  std::string why = why_kept(message, mail, made);
  arrival.events = std::move(made.events);
  arrival.source = item.source;
  arrival.lasting = true;
  if (!why.empty()) {
    arrival.kept_mail.push_back({.at = item.at,
                                 .source = std::string(item.source),
                                 .reporter = reporter,
                                 .why = std::move(why),
                                 .sender = null_sender(item.envelope.sender),
                                 .recipients = item.envelope.recipients,
                                 .proven = item.proven_reporter.has_value(),
                                 .unsubscribes = mail.kind == MailKind::unsubscribe,
                                 .bytes = std::string(item.bytes)});
  }
  arrival.nothing = made.nothing;
  count(arrival);
  return arrival;
}

std::optional<Arrival> FeedbackReader::one_click(std::string_view token, std::string_view source,
                                                 Time at, std::string_view& why) {
  const auto rules = rules_.get();
  FeedbackMail mail;
  mail.kind = MailKind::unsubscribe;
  const auto refuse = [&](std::string_view cause) {
    why = cause;
    Arrival none;
    none.source = source;
    none.nothing = cause;
    count(none);
    return std::nullopt;
  };
  const auto found = feedback::tokens_in(token, 1);
  if (found.size() != 1 || found.front().size() != token.size()) {
    return refuse(feedback::name_of(feedback::TokenState::wrong));
  }
  mail.unsubscribe = "one-click " + std::string(token);
  const feedback::MailEnvelope no_envelope;
  const feedback::Attribution attribution(
      mail, no_envelope, {.rules = *rules, .sent = &past_, .now = at, .proven_reporter = false});
  feedback::FeedbackEvents made = feedback::events_of(
      mail, attribution, {.source = source, .reporter = {}, .bytes = token, .at = at}, mapping_,
      &past_);
  const auto events = std::as_const(made.events).events();
  if (events.empty() || !is_proven(events.front())) {
    const auto state = rules->keys.read(token, at, rules->token_age).state;
    return refuse(state == feedback::TokenState::ok ? kNobody : feedback::name_of(state));
  }
  Arrival arrival;
  arrival.events = std::move(made.events);
  arrival.source = source;
  arrival.lasting = true;
  count(arrival);
  return arrival;
}

void FeedbackReader::count(const Arrival& arrival) {
  const std::string_view what = arrival.nothing.empty() ? "events" : arrival.nothing;
  metrics_
      .counter("watchpost_feedback_mails",
               "Feedback that came in, by source and what was made of it.",
               {{"source", arrival.source}, {"what", std::string(what)}})
      .add();
  for (const Event& event : arrival.events.events()) {
    // Before it is on disk: what takes the complaint back may be read by the next thread before
    // that. Where the store then fails, the mail comes again, and so does the event.
    past_.note(event);
    const std::string_view way = event[Field::attribution];
    metrics_
        .counter("watchpost_feedback_events",
                 "Events of feedback, by source, by what says whose mail it was (none: nothing), "
                 "and by what proves them, or why nothing does.",
                 {{"source", arrival.source},
                  {"attribution", std::string(way.empty() ? "none" : way)},
                  {"proof", std::string(event[Field::proof])}})
        .add();
  }
}

Result<std::optional<feedback::KnownMail>> FeedbackReader::Past::look_up(
    std::string_view message_id, std::string_view recipient) {
  if (stored_ == nullptr) return fail(Code::unavailable, "there is no store to look it up in");
  return stored_->look_up(message_id, recipient);
}

bool FeedbackReader::Past::came(const EventId& id) {
  {
    const std::lock_guard lock(mutex_);
    if (noted_.contains(id)) return true;
  }
  return stored_ != nullptr && stored_->came(id);
}

void FeedbackReader::Past::note(const Event& event) {
  if (!is_proven(event) && event[Field::proof] != feedback::kNothingToTakeBack) return;
  const std::lock_guard lock(mutex_);
  if (!noted_.insert(event.id).second) return;
  order_.push_back(event.id);
  if (order_.size() <= kMostNoted) return;
  noted_.erase(order_.front());
  order_.pop_front();
}

}  // namespace watchpost::ingest
