#pragma once
#include "base/time.h"
#include "model/event.h"
#include "model/stream.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost {

enum class SuppressionReason : uint8_t { hard_bounce, complaint, unsubscribe, by_hand, imported };
std::string_view name_of(SuppressionReason reason);
std::optional<SuppressionReason> suppression_reason_from(std::string_view name);

// Which suppression it is.
struct SuppressionKey {
  std::string recipient;
  std::string customer;
  SuppressionReason reason;
  auto operator<=>(const SuppressionKey&) const = default;
};

// Do not mail this recipient: for this customer, or for anybody. Recipient, customer and reason say
// which one it is: of one recipient there may be several, and mail goes again when none of them
// holds.
struct Suppression {
  std::string recipient;  // as suppression_key() has it
  std::string customer;   // whose mail it holds for; empty: everybody's
  SuppressionReason reason = SuppressionReason::by_hand;
  std::string origin;  // "rule `dead addresses`", "alice", "import list.csv", "decision d-7"
  std::string note;    // a person's
  Time since;
  std::optional<Time> until;     // nothing: until somebody lifts it
  std::string evidence;          // what led to it, for people: the reply, the reporter
  EventId event;                 // the last event that led to it; zero where there is none
  std::vector<Stream::Part> of;  // whose mail it was: the dimensions of the event that made it
  uint64_t incident = 0;         // open over the same mail when it was made; 0: none
  // A person made it, or lifted it where it is lifted: no event and no undoing takes that back.
  bool by_person = false;
  bool lifted = false;      // mail may go again; kept, so that people see what was
  std::string lifted_by;    // who, or which undoing
  std::string lifted_note;  // why
  Time changed_at;
  // Number of its last change, from 1, over all suppressions: the feed's cursor.
  uint64_t change = 0;

  SuppressionKey key() const { return {recipient, customer, reason}; }
  bool holds(Time now) const { return !lifted && (!until || now < *until); }
};

// The address that two ways of writing the same mailbox come to, as mail_address_key() has it
// (model/mail_address.h). The one rule for what an address is: of events, of what people write, of
// lists that are imported. Empty where it is none.
std::string suppression_key(std::string_view address);

}  // namespace watchpost
