#pragma once
#include "base/result.h"
#include "base/time.h"
#include "quarantine/quarantine.h"

#include <span>
#include <string>
#include <string_view>

namespace watchpost::investigate {

// The exception that accepts what is like a held message: of the same author, where DMARC vouches
// for the author; else of the same author and sender's domain, where SPF vouches for that; else of
// the same author from the same network. Never by what anybody can write. `recipients`: only for
// these; empty: for all. Pure.
//   Fails: refused: nothing vouches for it, it is not mail for us, a decision holds it, or a text
//   of
//          it cannot stand in a condition.
Result<quarantine::Exception> exception_like(const quarantine::HeldMessage& message,
                                             std::span<const std::string> recipients, Time until,
                                             std::string_view by, std::string_view why);

}  // namespace watchpost::investigate
