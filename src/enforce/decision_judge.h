#pragma once
#include "enforce/active.h"
#include "enforce/throttles.h"

#include <span>
#include <string>
#include <string_view>

namespace watchpost::enforce {

// Whether mail may pass the decisions in force: the one judge of all that answer a mail server.
//   Owns:    what throttles have let through.
//   Threads: any.
class DecisionJudge {
 public:
  // The decision under which this mail may not pass now, one of `active`; null: it may pass. A
  // message is asked about once for each recipient, and perhaps once more at its end: `instance` is
  // the same for all of them, and for throttles they are one.
  const Decision* refusing(const ActiveDecisions& active, const Event& mail,
                           const std::string& instance, Time now);

 private:
  Throttles throttles_;
};

// What a mail server tells its client under this decision: the reply with which it refuses. Never a
// word of the decision's own texts: the client sees it. It ends with the marker " (watchpost
// d-17)", by which the log's reader knows that the reject was Watchpost's doing.
std::string action_for(const Decision& decision, std::string_view contact);
inline constexpr std::string_view kNoOpinion = "dunno";

// Whether who knows these fields of a mail can tell who this scope is about. The error says which
// part `who` ("Postfix") cannot.
Result<Done> tellable(const Stream& scope, std::span<const Field> known, std::string_view who);

}  // namespace watchpost::enforce
