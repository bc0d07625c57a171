#pragma once
#include "border/gate.h"
#include "border/milter/transaction.h"
#include "enforce/decision_judge.h"
#include "model/event.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::border {

// A decision that holds mail, and the recipients of a message for whom it does.
struct Hold {
  Decision decision;
  std::vector<std::string> recipients;
};

// Adds those of a message's recipients that no other hold holds.
void hold_the_rest(const Decision& decision, const Transaction& mail, std::vector<Hold>& holds);

// A decision as reasons name it: "decision d-17".
std::string rule_of(const Decision& decision);

// The decisions in force, as they bear on mail of our logins.
//   Owns:    what throttles have let through.
//   Threads: any.
class OutboundDecisions {
 public:
  // Both outlive it.
  OutboundDecisions(const enforce::ActiveSnapshot& active, const feedback::Mapping& mapping)
      : active_(active), mapping_(mapping) {}

  // The decision under which a recipient may not be taken; empty: for what is known without one.
  std::optional<Decision> at_recipient(const Transaction& mail, std::string_view recipient,
                                       Time now);
  // The strictest for any of them, of mail whose recipients were not asked about, or not refused.
  std::optional<Decision> at_any_recipient(const Transaction& mail, Time now);
  // The decision under which a message may not pass: one that holds for it, whoever gets it; or,
  // where decisions name recipients and content at once, the mildest of those under which none of
  // its recipients may get it. `message` is its event, mapped; what is added goes into `batch`.
  std::optional<Decision> at_end(const Transaction& mail, const Event& message, EventBatch& batch,
                                 Time now);
  // The holds in force for single recipients, with what is known at the end. `message` as above.
  std::vector<Hold> holds(const Transaction& mail, const Event& message, Time now) const;

 private:
  const Decision* hold_of(const enforce::ActiveDecisions& active, const Event& known,
                          std::string_view recipient, Time now) const;
  std::optional<Decision> for_all_recipients(const enforce::ActiveDecisions& active,
                                             const Transaction& mail, const Event& message,
                                             EventBatch& batch, Time now);

  const enforce::ActiveSnapshot& active_;
  const feedback::Mapping& mapping_;
  enforce::DecisionJudge judge_;
};

}  // namespace watchpost::border
