#pragma once
#include "border/gate.h"
#include "border/inbound/facts.h"
#include "border/inbound/reason.h"
#include "enforce/enforcers/policy_judge.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::border {

// The decisions in force, as they bear on mail for us.
//   Owns:    what throttles have let through.
//   Threads: any.
class InboundDecisions {
 public:
  // Both outlive it.
  InboundDecisions(const enforce::ActiveSnapshot& active, const feedback::Mapping& mapping)
      : active_(active), mapping_(mapping) {}

  // The strictest for a message with what is known at its recipient. A message counts once for a
  // throttle, however often it is asked about.
  std::optional<Reason> at_recipient(const Transaction& mail, std::string_view recipient,
                                     std::string_view contact, Time now);
  // The strictest for any of its recipients, with all that was found out.
  std::optional<Reason> at_end(const Facts& facts, std::string_view contact, Time now);

 private:
  std::optional<Reason> judged(const enforce::ActiveDecisions& active, const Event& event,
                               const std::string& instance, std::string_view contact, Time now);

  const enforce::ActiveSnapshot& active_;
  const feedback::Mapping& mapping_;
  enforce::Throttles throttles_;
};

}  // namespace watchpost::border
