#pragma once
#include "base/time.h"
#include "model/suppression.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace watchpost::store {

// Of each suppression so many earlier states are kept.
inline constexpr size_t kMostSuppressionHistory = 10;

struct SuppressionQuery {
  std::string recipient;                // as suppression_key() has it; empty: all
  std::optional<std::string> customer;  // exactly; empty text: those for everybody
  std::optional<SuppressionReason> reason;
  std::optional<Time> since;    // made then or later
  std::optional<Time> held_at;  // only those that hold then
  size_t limit = 100;
  uint64_t before = 0;  // cursor: the last `change` of the page before; 0: from the start
};

}  // namespace watchpost::store
