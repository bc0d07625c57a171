#pragma once
#include "border/inbound/facts.h"

#include <string>
#include <vector>

namespace watchpost::border {

// What was found, in words of a fixed set and names from the configuration, for Field::findings and
// header fields: nothing in it comes from the message. Most telling first:
//   spf_RESULT helo_RESULT dkim_RESULT dmarc_RESULT arc_RESULT iprev_RESULT   (RFC 8601)
//   dkim_WEAKNESS                 of a signature that passes (`body_length`, `doubled_field`, ...)
//   author_uncertain author_ODDITY
//   dns_temperror                 DNS did not say something that was asked
//   listed:LIST listing_unknown:LIST
//   forged_results                the message claims results of ours
//   large malformed
// Pure.
std::vector<std::string> findings_of(const Facts& facts);

// Whether DNS left anything open of who the message is from.
bool is_dns_silent(const auth::Identity& identity);

}  // namespace watchpost::border
