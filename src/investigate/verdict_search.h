#pragma once
#include "base/time.h"
#include "investigate/corrections.h"
#include "store/verdict.h"

#include <cstddef>
#include <optional>
#include <string>

namespace watchpost::investigate {

// What an investigator asks for in `watchpost verdict`. What is empty is not asked for.
struct VerdictSearch {
  std::string queue_id, message_id, sender, recipient;
  std::optional<Time> since;
  size_t limit = 100;
};

struct FoundVerdict {
  store::MessageVerdict kept;
  std::optional<Correction> correction;
};

}  // namespace watchpost::investigate
