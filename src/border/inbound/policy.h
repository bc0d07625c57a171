#pragma once
#include "border/inbound/facts.h"
#include "border/inbound/patience.h"
#include "border/inbound/reason.h"
#include "border/settings.h"

#include <string_view>
#include <vector>

namespace watchpost::border {

// What [border] says of a message. Pure.
std::vector<Reason> policy_reasons(const Facts& facts, const BorderSettings& settings);

// Of mail that claims to be from a protected domain while DNS does not say whether it is: it waits,
// until the patience for its client and sender is over. Nothing where it need not wait.
std::vector<Reason> trouble_reasons(const Facts& facts, const BorderSettings& settings,
                                    Patience& patience, Time now);

}  // namespace watchpost::border
