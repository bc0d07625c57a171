#pragma once
#include "model/signal.h"
#include "model/stream.h"

#include <string>
#include <string_view>
#include <vector>

namespace watchpost::decide {

// The largest share of a dimension among the stream's failures; null where none is known.
const Share* share_of(const Signal& signal, Field dimension);
// This part of the failures or more, of `kFewestFailures` or more.
inline constexpr double kNearlyAll = 0.9;
inline constexpr uint64_t kFewestFailures = 10;
bool is_nearly_all(const Share& share);

struct Narrowed {
  Stream scope;
  std::string because;  // empty: the scope is the signal's stream
};

// The narrowest scope that explains the evidence. Of one place that a login is used from: the
// login, since whoever stole it comes from another place next. Otherwise: where nearly all failures
// of a customer come from one campaign or one login, that; of both the one with the larger share,
// and the login where the signal is about a stolen one.
Narrowed narrowest(const Signal& signal);

// Scopes inside the signal's stream that nearly all of its failures fall under: what is in force on
// one of them explains the signal. Not the stream itself. A few dozen at most.
std::vector<Stream> explaining(const Signal& signal);

}  // namespace watchpost::decide
