#pragma once
#include "base/time.h"

#include <string>

namespace watchpost::quarantine {

// What a recipient was told by digests; the epoch: never anything.
struct DigestMark {
  Time day;   // of its last digest: 00:00; there is no second one on that day
  Time told;  // what was kept before is known to it
};

struct DigestDue {
  std::string recipient;
  DigestMark last;
};

}  // namespace watchpost::quarantine
