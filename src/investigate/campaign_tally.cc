#include "investigate/campaign_tally.h"

#include "base/ascii.h"
#include "base/hash.h"
#include "base/text.h"
#include "investigate/joined_outcomes.h"
#include "model/provider.h"
#include "model/sent_at.h"

#include <algorithm>
#include <array>
#include <bit>
#include <functional>
#include <string>

namespace watchpost::investigate {
namespace {

using std::chrono::hours;

// Ways in which feedback does not prove itself: our own words, a dozen.
constexpr size_t kMostUnproven = 256;

Time hour_before(Time at) { return std::chrono::floor<hours>(at); }

uint64_t text_key(std::string_view text, uint64_t seed) {
  return has_upper(text) ? hash64(lower_ascii(text), seed) : hash64(text, seed);
}

// By what events about one message are known to be so; 0 where nothing says.
uint64_t message_key(const Event& event) {
  if (!event[Field::message_id].empty()) return hash64(event[Field::message_id], 1);
  if (!event[Field::queue_id].empty()) {
    return hash64(event[Field::queue_id], hash64(event[Field::host], 2));
  }
  return 0;
}

std::string_view recipient_of(const Event& event) {
  return event[Field::recipient].empty() ? event[Field::original_recipient]
                                         : event[Field::recipient];
}

// A token is made for one message, at a time of its own; where no name of the message is told, it
// is known by that. Parts of a second are lost on the way.
uint64_t token_key(const Event& event) {
  using std::chrono::seconds;
  const auto sent = std::chrono::duration_cast<seconds>(sent_at(event).time_since_epoch() +
                                                        std::chrono::milliseconds(500));
  return hash64(std::to_string(sent.count()), 5);
}

// Where neither message nor recipient is told, each event is one.
uint64_t key_of(const Event& event, uint64_t group) {
  uint64_t message = message_key(event);
  const std::string_view recipient = recipient_of(event);
  if (recipient.empty()) {
    return message == 0 ? event.id.low ^ std::rotl(event.id.high, 32)
                        : text_key(recipient, message ^ group);
  }
  if (message == 0 && event[Field::proof] == kProvenByToken) message = token_key(event);
  return OutcomeTable::key_of(text_key(recipient, group), message);
}

uint32_t flag_of(EventKind kind) {
  switch (kind) {
    case EventKind::accepted: return Outcome::accepted;
    case EventKind::delivered: return Outcome::delivered;
    case EventKind::deferred: return Outcome::deferred;
    case EventKind::bounced: return Outcome::bounced;
    case EventKind::expired: return Outcome::expired;
    case EventKind::complained: return Outcome::complained;
    case EventKind::complaint_withdrawn: return Outcome::withdrawn;
    case EventKind::unsubscribed: return Outcome::unsubscribed;
    case EventKind::rejected:
    case EventKind::login:
    case EventKind::judged:
    case EventKind::reported: return 0;
  }
  return 0;
}

// What our own mail server saw, as against what others wrote to us about it.
bool is_own_observation(const Event& event) {
  return event.kind <= EventKind::expired && event[Field::reporter].empty() &&
         event[Field::proof].empty();
}

// It is about a message to somebody, and does not say which.
bool is_loose(const Event& event) {
  return message_key(event) == 0 && !recipient_of(event).empty() && !is_own_observation(event);
}

uint32_t class_of(const Event& event) {
  const auto names = reply_class_names();
  const auto found = std::ranges::find(names, event[Field::class_]);
  // The last one is `unclassified`.
  return static_cast<uint32_t>(
      std::min<ptrdiff_t>(found - names.begin(), static_cast<ptrdiff_t>(names.size()) - 1));
}

MailFigures figures_of(const Outcome& outcome) {
  MailFigures mail;
  if (outcome.has(Outcome::whole)) {
    mail.accepted = outcome.count;
    return mail;
  }
  const auto one = [&](uint32_t flag) { return (outcome.flags & flag) != 0 ? 1U : 0U; };
  mail.accepted = one(Outcome::accepted);
  // What came last: who gave up in the end had not delivered it.
  if (outcome.has(Outcome::bounced)) {
    mail.bounced = 1;
    mail.late_bounced = one(Outcome::delivered);
  } else if (outcome.has(Outcome::expired)) {
    mail.expired = 1;
  } else if (outcome.has(Outcome::delivered)) {
    mail.delivered = 1;
  } else if (outcome.has(Outcome::deferred)) {
    mail.waiting = 1;
  }
  mail.sent = mail.bounced + mail.expired + mail.delivered + mail.waiting;
  mail.deferred = one(Outcome::deferred);
  mail.deferrals = outcome.count;
  mail.complained = one(Outcome::complained);
  mail.withdrawn = mail.complained * one(Outcome::withdrawn);
  mail.unsubscribed = one(Outcome::unsubscribed);
  mail.refused = one(Outcome::refused);
  if (outcome.has(Outcome::reports)) {
    mail.reporting_delivered = mail.delivered;
    mail.reporting_complained = mail.complained - mail.withdrawn;
  }
  return mail;
}

// The largest first, then by name.
template <class Row>
void sort_largest_first(std::vector<Row>& rows) {
  std::ranges::sort(rows, [](const Row& a, const Row& b) {
    const uint64_t mail_of_a = a.mail.sent + a.mail.accepted;
    const uint64_t mail_of_b = b.mail.sent + b.mail.accepted;
    return mail_of_a != mail_of_b ? mail_of_a > mail_of_b : a.name < b.name;
  });
}

// Bounces by class of the reply.
using ClassCounts = std::array<uint64_t, Outcome::kNoClass + 1>;

TallyResult::Classes classes_of(const ClassCounts& counts) {
  TallyResult::Classes classes;
  const auto names = reply_class_names();
  for (size_t number = 0; number < names.size(); ++number) {
    if (counts[number] > 0) classes.push_back({names[number], counts[number]});
  }
  std::ranges::stable_sort(classes, std::greater(), &TallyResult::Class::bounced);
  return classes;
}

// Of hours and groups that have none there is nothing.
TallyResult::Classes classes_of(const std::unordered_map<uint32_t, ClassCounts>& all,
                                size_t number) {
  const auto found = all.find(static_cast<uint32_t>(number));
  return found == all.end() ? TallyResult::Classes{} : classes_of(found->second);
}

}  // namespace

bool is_about_sending(const Event& event) {
  return event.direction == Direction::outbound &&
         (flag_of(event.kind) != 0 || (event.self_inflicted && event.kind == EventKind::rejected));
}

CampaignTally::CampaignTally(Field group, Time since, Time until, size_t most)
    : group_(group),
      since_(hour_before(std::max(since, until - kLongestSpan))),
      until_(hour_before(until)),
      outcomes_(most) {
  groups_.emplace_back();
}

// From 1; 0 is before the span. What is after it has hours of its own.
uint32_t CampaignTally::hour_of(Time at) const {
  if (at < since_) return 0;
  const auto count = (at - since_) / hours(1) + 1;
  return static_cast<uint32_t>(std::min<int64_t>(count, Outcome::kMostHours));
}

uint32_t CampaignTally::group_of(const Event& event) {
  const std::string_view name = event[group_];
  if (name.empty()) return 0;
  const auto found = group_numbers_.find(name);
  if (found != group_numbers_.end()) return found->second;
  if (groups_.size() == Outcome::kMostGroups) return Outcome::kMostGroups;
  const auto number = static_cast<uint32_t>(groups_.size());
  groups_.emplace_back(name);
  group_numbers_.emplace(groups_.back(), number);
  return number;
}

void CampaignTally::note_sent(Time at) {
  if (at < since_ || at >= until_) return;
  first_sent_ = std::min(first_sent_.value_or(at), at);
  last_sent_ = std::max(last_sent_.value_or(at), at);
}

void CampaignTally::on(const Event& event) {
  if (!is_about_sending(event)) return;
  if (!is_proven(event)) {
    const std::pair key(event.kind, std::string(event[Field::proof]));
    if (unproven_.size() < kMostUnproven || unproven_.contains(key)) ++unproven_[key];
    return;
  }
  const Time sent = sent_at(event);
  Outcome outcome{.flags = event.self_inflicted ? uint32_t{Outcome::refused} : flag_of(event.kind),
                  .hour = hour_of(sent),
                  .group = group_of(event)};
  if (is_own_observation(event)) {
    outcome.flags |= Outcome::own_time;
    if (!event.self_inflicted) note_sent(sent);
  }
  if (provider_reports(event[Field::provider])) outcome.flags |= Outcome::reports;
  if (is_loose(event)) outcome.flags |= Outcome::loose;
  if (outcome.has(Outcome::bounced)) outcome.bounce = class_of(event);
  if (outcome.has(Outcome::deferred)) outcome.count = 1;
  if (outcome.has(Outcome::accepted) && recipient_of(event).empty()) {
    outcome.flags ^= Outcome::accepted | Outcome::whole;
    outcome.count = std::clamp<uint32_t>(event.recipients, 1, Outcome::kMostRecipients);
  }
  // Within a provider a message is the same; two campaigns never share one.
  const uint64_t apart = group_ == Field::provider ? 0 : text_key(event[group_], 3);
  const uint64_t whole = outcome.has(Outcome::whole) ? 4 : 0;
  outcomes_.add(key_of(event, apart ^ whole), outcome);
}

// Figures by hour and group while they are being added up.
struct CampaignTally::Sums {
  MailFigures total;
  std::vector<MailFigures> hours;
  std::vector<MailFigures> groups;
  std::vector<uint32_t> first_hours;  // of groups; kMostHours: none
  ClassCounts classes{};
  std::unordered_map<uint32_t, ClassCounts> classes_of_hours;
  std::unordered_map<uint32_t, ClassCounts> classes_of_groups;
  uint64_t outside = 0;
};

CampaignTally::Sums CampaignTally::summed(Time from) const {
  const uint32_t first = hour_of(std::max(hour_before(from), since_));
  const uint32_t end = hour_of(until_);
  const uint64_t times = outcomes_.sampled();
  Sums sums;
  sums.hours.resize(end);
  sums.groups.resize(size_t{Outcome::kMostGroups} + 1);
  sums.first_hours.assign(sums.groups.size(), Outcome::kMostHours);
  JoinedOutcomes(outcomes_).each([&](const Outcome& outcome) {
    if (outcome.hour < first || outcome.hour >= end) {
      sums.outside += outcome.has(Outcome::whole) ? 0 : times;
      return;
    }
    const MailFigures mail = figures_of(outcome);
    sums.total.add(mail, times);
    sums.hours[outcome.hour].add(mail, times);
    sums.groups[outcome.group].add(mail, times);
    uint32_t& first_hour = sums.first_hours[outcome.group];
    if (mail.accepted + mail.sent > 0) first_hour = std::min(first_hour, outcome.hour);
    if (mail.bounced == 0) return;
    sums.classes[outcome.bounce] += times;
    sums.classes_of_hours[outcome.hour][outcome.bounce] += times;
    sums.classes_of_groups[outcome.group][outcome.bounce] += times;
  });
  return sums;
}

TallyResult CampaignTally::result(Time from) const {
  const Sums sums = summed(from);
  const auto start_of = [&](size_t hour) { return since_ + hours(hour - 1); };
  TallyResult result{.total = sums.total, .sampled = outcomes_.sampled(), .outside = sums.outside};
  for (size_t hour = 1; hour < sums.hours.size(); ++hour) {
    if (sums.hours[hour] == MailFigures{}) continue;
    result.hours.push_back(
        {start_of(hour), sums.hours[hour], classes_of(sums.classes_of_hours, hour)});
  }
  for (size_t group = 0; group < sums.groups.size(); ++group) {
    if (sums.groups[group] == MailFigures{}) continue;
    const std::string name = group < groups_.size() ? groups_[group] : "(others)";
    result.groups.push_back({.name = name,
                             .reports = provider_reports(name),
                             .first_at = {},
                             .mail = sums.groups[group],
                             .classes = classes_of(sums.classes_of_groups, group)});
    const uint32_t first = sums.first_hours[group];
    if (first < Outcome::kMostHours) result.groups.back().first_at = start_of(first);
  }
  sort_largest_first(result.groups);
  result.classes = classes_of(sums.classes);
  return result;
}

std::vector<UnprovenCount> CampaignTally::unproven() const {
  std::vector<UnprovenCount> all;
  for (const auto& [key, count] : unproven_) all.push_back({key.first, key.second, count});
  return all;
}

}  // namespace watchpost::investigate
