#pragma once
#include "base/result.h"

#include <string_view>

namespace watchpost::suppress {

// Whether people and lists may name a customer so; empty: everybody. Errors: bad_input where it is
// blank, longer than 255 bytes, no UTF-8, or has control bytes. What events say is taken as it is.
Result<Done> check_customer(std::string_view customer);

}  // namespace watchpost::suppress
