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

Entry entry_of(const Suppression& one) {
  return {.reason = one.reason,
          .lifted = one.lifted,
          .by_person = one.by_person,
          .until = one.until,
          .lifted_at = one.lifted ? one.changed_at : Time{}};
}

std::vector<Stream::Part> dimensions_of(const Event& event) {
  std::vector<Stream::Part> of;
  for (const FieldInfo& info : watchpost::fields()) {
    const std::string_view value = event[info.field];
    if (info.dimension && !value.empty()) of.push_back({info.field, std::string(value)});
  }
  return of;
}

}  // namespace

Keeper::Keeper(std::vector<Rule> rules, List& list, uint64_t seed, KeeperLimits limits)
    : list_(list), counts_(seed, limits.counted) {
  use(std::move(rules));
}

void Keeper::use(std::vector<Rule> rules) {
  rules_ = std::move(rules);
  undelivered_.clear();
  for (const Rule& rule : rules_) {
    if (rule.after > 1 && rule.reason != SuppressionReason::hard_bounce) {
      undelivered_.push_back(rule.version);
    }
  }
}

std::optional<Entry> Keeper::known(const SuppressionKey& key) const {
  if (!uncommitted_.empty()) {
    const auto found = uncommitted_.find(key);
    if (found != uncommitted_.end()) return found->second;
  }
  return list_.of(key.customer, key.recipient, key.reason);
}

bool Keeper::says_more(const Suppression& wanted, const std::optional<Entry>& there, Time at) {
  if (!there) return true;
  if (there->lifted) return at > there->lifted_at;
  if (!there->until) return false;
  if (at >= *there->until || !wanted.until) return true;
  return *wanted.until - *there->until > (*wanted.until - at) / kWorthIt;
}

// What the recipient wished, by complaining or unsubscribing, is another matter than what a person
// lifted; a list of dead addresses is not.
bool Keeper::was_lifted_by_person(const Suppression& wanted) const {
  const bool wish = wanted.reason == SuppressionReason::complaint ||
                    wanted.reason == SuppressionReason::unsubscribe;
  return std::ranges::any_of(
      list_.all_of(wanted.customer, wanted.recipient), [&](const Entry& there) {
        return there.lifted && there.by_person && (!wish || there.reason == wanted.reason);
      });
}

Wish Keeper::judge(const Suppression& wanted, Time now) const {
  const auto there = known(wanted.key());
  if (there && there->holds(now)) {
    const bool longer = there->until && (!wanted.until || *wanted.until > *there->until);
    return longer || !there->by_person ? Wish::changes : Wish::held;
  }
  return was_lifted_by_person(wanted) ? Wish::was_lifted : Wish::changes;
}

void Keeper::number(Suppression& one, Time now) {
  one.change = ++last_change_;
  one.changed_at = now;
  uncommitted_[one.key()] = entry_of(one);
}

void Keeper::on(const Event& event, Time now, const Around& around,
                std::vector<Suppression>& changed) {
  if (rules_.empty() || event.direction != Direction::outbound || event.self_inflicted) return;
  const bool through = event.kind == EventKind::delivered;
  if (through && counts_.empty()) return;
  const bool proven = is_proven(event) || event[Field::proof] == kToldInPart;
  if (event.kind == EventKind::accepted || !proven) return;
  const std::string recipient = suppression_key(event[Field::recipient]);
  if (recipient.empty()) return;
  if (through) {
    counts_.delivered(event[Field::customer], recipient, event.at, undelivered_);
    counts_.delivered({}, recipient, event.at, undelivered_);
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
                   const Around& around, std::vector<Suppression>& changed) {
  // A customer's own token says nothing of the mail of others.
  const bool for_all = rule.for_all && event[Field::attribution] != kByCustomersToken;
  const std::string customer(for_all ? std::string_view() : event[Field::customer]);
  if (customer.empty() && !for_all) {
    ++made_[rule.name].without_customer;
    return;
  }
  const auto misleads = [&] {
    return rule.reason == SuppressionReason::hard_bounce && around.bounces_mislead &&
           around.bounces_mislead(event);
  };
  if (rule.after > 1 && misleads()) return;
  if (!counts_.add(rule, customer, recipient, event.at)) return;
  Suppression made{.recipient = recipient,
                   .customer = customer,
                   .reason = rule.reason,
                   .origin = fmt::format("rule `{}`", rule.name),
                   .since = event.at};
  if (rule.lasts > Duration::zero()) made.until = event.at + rule.lasts;
  if (made.until && now >= *made.until) return;
  const auto there = known(made.key());
  if (!says_more(made, there, event.at)) return;
  if (rule.after <= 1 && misleads()) return;
  if (rule.mode != Mode::enforce) {
    ++made_[rule.name].would_have;
    return;
  }
  ++made_[rule.name].suppressed;
  made.evidence = evidence_of(event);
  made.event = event.id;
  made.of = dimensions_of(event);
  // What a person said stays that, however long it holds for an event's sake.
  made.by_person = there && there->holds(event.at) && there->by_person;
  if (around.incident) made.incident = around.incident(event);
  number(made, now);
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
  Suppression lifted{.recipient = recipient,
                     .customer = customer,
                     .reason = SuppressionReason::complaint,
                     .origin = "a complaint",
                     .since = event.at};
  const auto there = known(lifted.key());
  if (!there || !there->holds(now) || there->by_person) return;
  lifted.until = there->until;
  lifted.lifted = true;
  lifted.lifted_by = "the complaint was withdrawn";
  lifted.lifted_note = evidence_of(event);
  number(lifted, now);
  changed.push_back(std::move(lifted));
}

void Keeper::committed(std::span<const Suppression> changed) {
  for (const Suppression& one : changed) list_.put(one);
  uncommitted_.clear();
}

}  // namespace watchpost::suppress
