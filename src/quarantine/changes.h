#pragma once
#include "base/result.h"
#include "quarantine/index.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::quarantine {

// What people and the releaser change, within one transaction each. One that fails changes nothing
// when it is undone. `recipients`: those meant; empty: all whose copy is in a state for it.

Result<size_t> release(Index& index, const HeldId& id, std::span<const std::string> recipients,
                       const ReleaseOrder& order, Time now);
Result<size_t> discard(Index& index, const HeldId& id, std::span<const std::string> recipients,
                       std::string_view by, Time now);
Result<Done> extend(Index& index, const HeldId& id, Time until);
Result<bool> request(Index& index, const HeldId& id, std::string_view recipient, Time now);

// A copy that a search has found.
struct FoundCopy {
  uint64_t message = 0;
  size_t place = 0;
  Time release_at;
};
// Those that are not in a state for it any more are left as they are.
Result<size_t> release_found(Index& index, std::span<const FoundCopy> found,
                             const ReleaseOrder& order, Time now);
Result<size_t> hold_again(Index& index, std::span<const FoundCopy> found, std::string_view by,
                          std::string_view note, Time now);
Result<size_t> discard_found(Index& index, std::span<const FoundCopy> found, std::string_view by,
                             Time now);
// The share of each step, in the order in which they were found; what no step reaches is left out.
std::vector<FoundCopy> paced(std::vector<FoundCopy> found, std::span<const PacedStep> steps,
                             Time at);

// Closes what is past its time, and forgets what ended before `forget`. Gives how many were
// changed: at most a few hundred at once.
Result<size_t> expire(Index& index, Time now);
Result<size_t> forget(Index& index, Time before);

// One message, of a person who is its sender or one of its recipients.
struct Erased {
  size_t copies = 0;
  size_t leaving = 0;  // could not be
};
Result<Erased> erase(Index& index, uint64_t message, std::string_view address, std::string_view by,
                     Time now);

// Gives how many copies it was about.
Result<size_t> put_off(Index& index, std::span<const Due> due, Time at, std::string_view note);

// Attempts. `hash`: of the token.
Result<Attempt> begin(Index& index, const Due& due, std::string_view hash, Time now);
// `sha`: of the message as it was presented.
Result<HeldMessage> redeem(Index& index, std::string_view hash, std::string_view queue_id,
                           std::string_view sha);
// Whether the mail server had asked for its token.
Result<bool> end(Index& index, const Attempt& attempt, std::span<const CopyOutcome> outcomes,
                 Time now);

}  // namespace watchpost::quarantine
