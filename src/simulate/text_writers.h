#pragma once
#include "simulate/platform.h"

#include <string>

namespace watchpost::simulate {

// What happens, as a mail server writes it down. Each appends whole lines to `out`, none where the
// format cannot say it.
//   Threads: none inside.

// Postfix: connection, login, cleanup, queue and delivery lines, joined by queue id. What comes
// back later (complaints, late bounces) is not in such a log.
void write_postfix(std::string& out, const Platform& platform, const Occurrence& occurrence);

// KumoMTA: a record for each, with what `meta` should be made to have: tenant, campaign, authn_id,
// received_from. A failed login is a Rejection.
void write_kumomta(std::string& out, const Platform& platform, const Occurrence& occurrence);

}  // namespace watchpost::simulate
