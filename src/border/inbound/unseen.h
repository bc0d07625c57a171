#pragma once
#include "auth/results/identity.h"

namespace watchpost::border {

// Takes back what signatures seemed to say of a message of which only the beginning was looked at: a
// hash of it proves nothing, in neither direction (who fills up our memory at the right moment
// chooses where it is cut). SPF stays: it does not look at the message. Pure.
void withhold_signatures(auth::Identity& identity);

// The same where the header was cut: another author may stand in the rest.
void withhold_author(auth::Identity& identity);

}  // namespace watchpost::border
