#pragma once
#include "base/time.h"

#include <cstdint>

namespace watchpost {

struct Pauses {
  Duration first;  // after one failure; doubling
  Duration longest;
};

// The pause before the next try, shortened by up to half (`jitter` from 0 to 1), so that what
// failed together is not tried again together. Pure.
Duration pause_after(const Pauses& pauses, uint32_t failures, double jitter);

}  // namespace watchpost
