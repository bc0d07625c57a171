#pragma once
#include "auth/results/authors.h"
#include "border/gate.h"

#include <string_view>

namespace watchpost::border {

// Who a login writes as (reliability E-C1 to E-C3).
enum class Authorship : uint8_t {
  own,        // every author is one that the login may write as; or there is no login to ask about
  unknown,    // the login is no address, and no [[login]] says what it may write as
  foreign,    // an author does not belong to it
  uncertain,  // readers may see different authors, or none
};
// As a finding: "foreign_author"; empty for `own`.
std::string_view finding_of(Authorship authorship);

// Pure. `certain`: the whole header was looked at.
Authorship authorship_of(std::string_view login, const auth::Authors& authors, bool certain,
                         const Rules& rules);

}  // namespace watchpost::border
