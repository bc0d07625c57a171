#pragma once
#include "border/milter/answer.h"
#include "border/milter/transaction.h"
#include "quarantine/keeper.h"

#include <optional>
#include <string_view>
#include <vector>

namespace watchpost::border {

// A released message as it comes by a gate again. All are pure and total.

using quarantine::kReleaseHelo;

// What the gates say was found of a message that they let through since it is released.
inline constexpr std::string_view kReleased = "released";

// Whether this may be a releaser of this machine: then decisions have their say at the message's
// end, when it is known whether a person ordered that it goes out.
bool may_be_release(const Transaction& so_far);

// Whether the message begins with a token: it is none of ours yet.
bool begins_with_token(const Transaction& mail);
// The same, from one who says that he releases: others do not get to ask the quarantine. A token
// that it does not know is refused for now and never judged: it may be a late one, of an attempt
// that is made again.
bool wants_release(const Transaction& mail);
// The same, read. Nothing where it is none that ever was. The message outlives it.
std::optional<quarantine::Presented> presented_by(const Transaction& mail);

// All of their fields leave mail that passes, in every mode: a token is for nobody's eyes. Last
// first.
std::vector<HeaderChange> token_removals(const Transaction& mail);

}  // namespace watchpost::border
