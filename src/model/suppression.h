#pragma once
#include "base/time.h"
#include "model/event.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace watchpost {

enum class SuppressionReason : uint8_t { hard_bounce, complaint, unsubscribe, by_hand, imported };
std::string_view name_of(SuppressionReason reason);
std::optional<SuppressionReason> suppression_reason_from(std::string_view name);

// Do not mail this recipient: for this customer, or for anybody.
struct Suppression {
  std::string recipient;  // as suppression_key() has it
  std::string customer;   // whose mail it holds for; empty: everybody's
  SuppressionReason reason = SuppressionReason::by_hand;
  std::string origin;  // "rule `dead addresses`", "alice", "import list.csv", "decision d-7"
  std::string note;    // a person's
  Time since;
  std::optional<Time> until;  // nothing: until somebody lifts it
  std::string evidence;       // what led to it, for people: the reply, the reporter
  EventId event;              // the last event that led to it; zero where there is none
  uint64_t incident = 0;      // open over the same mail when it was made; 0: none
  bool lifted = false;        // mail may go again; kept, so that people see what was
  std::string lifted_by;      // who, or which undoing
  Time changed_at;
  uint64_t change =
      0;  // number of its last change, from 1, over all suppressions: the feed's cursor

  bool holds(Time now) const { return !lifted && (!until || now < *until); }
};

// The address that two ways of writing the same mailbox come to: without angle brackets and a last
// dot, all in lower case, as no provider of note tells local parts apart by it. Empty where it is
// no address: without a local part or a domain, of more than 320 bytes, with a blank.
std::string suppression_key(std::string_view address);

}  // namespace watchpost
