#pragma once
#include "auth/dmarc/discovery.h"
#include "auth/dmarc/dmarc.h"

#include <string>

namespace watchpost::auth {

// What the identifiers of a message say for one author domain.
struct DmarcAlignments {
  bool passes = false;
  bool unknown = false;    // one that might have passed could not be judged
  bool not_asked = false;  // one that might have passed was not asked
  std::string why;
};

// Fills in `alignments`, `organizational` and further `walks` of an author with a record (RFC 9989
// section 4.10.2). All arguments outlive the wait.
Async<DmarcAlignments> align(AuthorVerdict& author, const DmarcQuestion& question,
                             DmarcLookUps& look_ups);

}  // namespace watchpost::auth
