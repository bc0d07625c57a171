#include "investigate/joined_outcomes.h"

#include <algorithm>
#include <tuple>

namespace watchpost::investigate {
namespace {

// False where it cannot be that message.
bool may_be(const Outcome& loose, const Outcome& message) {
  return message.hour + JoinedOutcomes::kHoursBefore >= loose.hour &&
         message.hour <= loose.hour + JoinedOutcomes::kHoursAfter;
}

uint32_t hours_apart(const Outcome& a, const Outcome& b) {
  return std::max(a.hour, b.hour) - std::min(a.hour, b.hour);
}

}  // namespace

JoinedOutcomes::JoinedOutcomes(const OutcomeTable& table) : table_(table) {
  table.each_key([&](uint64_t key, const Outcome& outcome) {
    if (outcome.has(Outcome::loose)) loose_.push_back({key, outcome});
  });
  if (loose_.empty()) return;
  std::ranges::sort(loose_, {}, &Message::key);
  table.each_key([&](uint64_t key, const Outcome& outcome) {
    if (is_wanted(key) && !outcome.has(Outcome::loose) && !outcome.has(Outcome::whole)) {
      messages_.push_back({key, outcome});
    }
  });
  std::ranges::sort(messages_, {}, &Message::key);
  for (Message& one : loose_) {
    Message* const found = message_for(one);
    if (found == nullptr) continue;
    Outcome named = one.outcome;
    named.flags &= ~uint32_t{Outcome::loose};
    found->outcome.join(named);
    found->taken = one.taken = true;
  }
}

// Whether something loose is about the recipient of that message.
bool JoinedOutcomes::is_wanted(uint64_t key) const {
  const uint64_t recipient = OutcomeTable::recipient_of(key);
  const auto at = std::ranges::lower_bound(loose_, recipient, {}, [](const Message& one) {
    return OutcomeTable::recipient_of(one.key);
  });
  return at != loose_.end() && OutcomeTable::recipient_of(at->key) == recipient;
}

bool JoinedOutcomes::stands_here(uint64_t key, const Outcome& outcome) const {
  if (outcome.has(Outcome::loose)) return true;
  return !loose_.empty() && !outcome.has(Outcome::whole) && is_wanted(key);
}

JoinedOutcomes::Message* JoinedOutcomes::message_for(const Message& loose) {
  const auto part = [](const Message& one) { return OutcomeTable::recipient_of(one.key); };
  const auto theirs =
      std::ranges::equal_range(messages_, OutcomeTable::recipient_of(loose.key), {}, part);
  const auto rank = [&](const Message& one) {
    return std::tuple(!may_be(loose.outcome, one.outcome), one.taken,
                      hours_apart(loose.outcome, one.outcome));
  };
  const auto nearest = std::ranges::min_element(theirs, {}, rank);
  const bool found = nearest != theirs.end() && may_be(loose.outcome, nearest->outcome);
  return found ? &*nearest : nullptr;
}

}  // namespace watchpost::investigate
