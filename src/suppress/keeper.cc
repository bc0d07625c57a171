#include "suppress/keeper.h"

#include "expr/event_schema.h"
#include "model/feedback_proof.h"

#include <algorithm>

#include <fmt/format.h>

namespace watchpost::suppress {
namespace {

constexpr size_t kLongestEvidence = 500;
// An event that would make a suppression hold longer by less than this part of its time is not
// worth a change: mail to a suppressed recipient would make one each time.
constexpr int kWorthIt = 10;

// For people: what was said, and by whom.
std::string evidence_of(const Event& event) {
  std::string text(name_of(event.kind));
  const auto add = [&](std::string_view label, Field field) {
    if (!event[field].empty())
      fmt::format_to(std::back_inserter(text), "{}{}", label, event[field]);
  };
  add(", ", Field::class_);
  add(", reported by ", Field::reporter);
  add(": ", Field::reply);
  if (text.size() > kLongestEvidence) text.resize(kLongestEvidence);
  return text;
}

// Every part of the stream is among the dimensions of an event.
bool is_in(const Stream& stream, const std::vector<Stream::Part>& dimensions) {
  return std::ranges::all_of(stream.parts, [&](const Stream::Part& part) {
    return std::ranges::find(dimensions, part) != dimensions.end();
  });
}

Entry entry_of(const Suppression& one) {
  return {.reason = one.reason,
          .lifted = one.lifted,
          .until = one.until,
          .lifted_at = one.lifted ? one.changed_at : Time{}};
}

}  // namespace

int weight_of(SuppressionReason reason) {
  switch (reason) {
    case SuppressionReason::hard_bounce: return 0;
    case SuppressionReason::imported: return 1;
    case SuppressionReason::complaint: return 2;
    case SuppressionReason::unsubscribe: return 3;
    case SuppressionReason::by_hand: return 4;
  }
  return 0;
}

Keeper::Keeper(std::vector<Rule> rules, List& list, uint64_t seed, KeeperLimits limits)
    : rules_(std::move(rules)), list_(list), counts_(seed, limits.counted), limits_(limits) {}

std::optional<Entry> Keeper::known(const std::string& recipient,
                                   const std::string& customer) const {
  if (!uncommitted_.empty()) {
    const auto found = uncommitted_.find(Key(recipient, customer));
    if (found != uncommitted_.end()) return found->second.entry;
  }
  return list_.of(customer, recipient);
}

bool Keeper::says_more(const Suppression& wanted, const std::optional<Entry>& there, Time at) {
  if (!there) return true;
  if (there->lifted) return at > there->lifted_at;
  if (there->until && at >= *there->until) return true;
  const bool as_long = !wanted.until || (there->until && *wanted.until >= *there->until);
  if (!as_long) return false;
  // Withdrawing a complaint must not lift what held without it.
  const bool withdrawable = wanted.reason == SuppressionReason::complaint;
  if (!withdrawable && weight_of(wanted.reason) > weight_of(there->reason)) return true;
  if (!there->until) return false;
  return !wanted.until || *wanted.until - *there->until > (*wanted.until - at) / kWorthIt;
}

bool Keeper::would_change(const Suppression& wanted, Time now) const {
  const auto there = known(wanted.recipient, wanted.customer);
  if (!there || !there->holds(now)) return true;
  return there->until && (!wanted.until || *wanted.until > *there->until);
}

void Keeper::number(Suppression& one, Time now) {
  one.change = ++last_change_;
  one.changed_at = now;
  uncommitted_[Key(one.recipient, one.customer)] = {entry_of(one), one.change};
}

void Keeper::on(const Event& event, Time now, const AroundOf& around,
                std::vector<Suppression>& changed) {
  if (rules_.empty() || event.direction != Direction::outbound || event.self_inflicted) return;
  const bool through = event.kind == EventKind::delivered;
  if (through && counts_.empty()) return;
  const bool proven = is_proven(event) || event[Field::proof] == kToldInPart;
  if (event.kind == EventKind::accepted || !proven) return;
  const std::string recipient = suppression_key(event[Field::recipient]);
  if (recipient.empty()) return;
  if (through) {
    counts_.delivered(event[Field::customer], recipient, event.at);
    counts_.delivered({}, recipient, event.at);
    return;
  }
  if (event.kind == EventKind::complaint_withdrawn) withdraw(event, recipient, now, changed);
  const expr::EventRow row(event);
  for (const Rule& rule : rules_) {
    if (rule.mode == Mode::off || rule.when.evaluate(row) != expr::Truth::yes) continue;
    apply(rule, event, recipient, now, around, changed);
  }
}

void Keeper::apply(const Rule& rule, const Event& event, const std::string& recipient, Time now,
                   const AroundOf& around, std::vector<Suppression>& changed) {
  // A customer's own token says nothing of the mail of others.
  const bool for_all = rule.for_all && event[Field::attribution] != kByCustomersToken;
  const std::string customer(for_all ? std::string_view() : event[Field::customer]);
  if (customer.empty() && !for_all) {
    ++made_[rule.name].without_customer;
    return;
  }
  if (!counts_.add(rule, customer, recipient, event.at)) return;
  Suppression made{.recipient = recipient,
                   .customer = customer,
                   .reason = rule.reason,
                   .origin = fmt::format("rule `{}`", rule.name),
                   .since = event.at};
  if (rule.lasts > Duration::zero()) made.until = event.at + rule.lasts;
  if (made.until && now >= *made.until) return;
  const std::optional<Entry> there = known(recipient, customer);
  if (!says_more(made, there, event.at)) return;
  const Around where = around ? around(event) : Around{};
  if (where.bounces_mislead && rule.reason == SuppressionReason::hard_bounce) return;
  if (rule.mode != Mode::enforce) {
    ++made_[rule.name].would_have;
    return;
  }
  ++made_[rule.name].suppressed;
  made.evidence = evidence_of(event);
  made.event = event.id;
  // Undoing an incident must not lift what was suppressed without it.
  const bool replaces = there && there->holds(now);
  made.incident = replaces ? 0 : where.incident;
  number(made, now);
  if (!replaces && made.incident == 0) remember(made, event);
  changed.push_back(std::move(made));
}

void Keeper::withdraw(const Event& event, const std::string& recipient, Time now,
                      std::vector<Suppression>& changed) {
  const std::string customer(event[Field::customer]);
  if (!customer.empty()) lift_complaint(event, recipient, customer, now, changed);
  if (event[Field::attribution] != kByCustomersToken)
    lift_complaint(event, recipient, {}, now, changed);
}

void Keeper::lift_complaint(const Event& event, const std::string& recipient,
                            const std::string& customer, Time now,
                            std::vector<Suppression>& changed) {
  const auto there = known(recipient, customer);
  if (!there || !there->holds(now) || there->reason != SuppressionReason::complaint) return;
  Suppression lifted{.recipient = recipient,
                     .customer = customer,
                     .reason = SuppressionReason::complaint,
                     .origin = "a complaint",
                     .since = event.at,
                     .until = there->until,
                     .evidence = evidence_of(event),
                     .event = event.id,
                     .lifted = true,
                     .lifted_by = "the complaint was withdrawn"};
  number(lifted, now);
  changed.push_back(std::move(lifted));
}

void Keeper::remember(const Suppression& made, const Event& event) {
  if (limits_.recent == 0) return;
  while (recent_.size() >= limits_.recent) recent_.pop_front();
  Recent& one = recent_.emplace_back();
  one.made = made;
  for (const FieldInfo& info : watchpost::fields()) {
    const std::string_view value = event[info.field];
    if (info.dimension && !value.empty()) one.of.push_back({info.field, std::string(value)});
  }
}

void Keeper::opened(uint64_t incident, const Stream& subject, Time since, Time now,
                    std::vector<Suppression>& changed) {
  if (subject.empty()) return;
  // They stay remembered until they are committed: what is dropped has not happened.
  for (const Recent& one : recent_) {
    if (one.made.since < since || !is_in(subject, one.of) || is_replaced(one.made)) continue;
    Suppression made = one.made;
    made.incident = incident;
    number(made, now);
    changed.push_back(std::move(made));
  }
}

bool Keeper::is_replaced(const Suppression& one) const {
  const auto found = uncommitted_.find(Key(one.recipient, one.customer));
  return found != uncommitted_.end() && found->second.change != one.change;
}

void Keeper::committed(std::span<const Suppression> changed) {
  for (const Suppression& one : changed) list_.put(one);
  uncommitted_.clear();
  committed_change_ = last_change_;
  if (recent_.empty()) return;
  // One that was changed since is no longer as it is remembered.
  std::map<Key, uint64_t> last;
  for (const Suppression& one : changed) last[Key(one.recipient, one.customer)] = one.change;
  std::erase_if(recent_, [&](const Recent& one) {
    const auto found = last.find(Key(one.made.recipient, one.made.customer));
    return found != last.end() && found->second != one.made.change;
  });
}

void Keeper::dropped() {
  uncommitted_.clear();
  std::erase_if(recent_, [&](const Recent& one) { return one.made.change > committed_change_; });
}

}  // namespace watchpost::suppress
