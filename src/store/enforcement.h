#pragma once
#include "base/time.h"
#include "model/decision.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace watchpost::store {

// What an enforcer has been told to make so, and what is known to be so.
struct Enforcement {
  DecisionId decision;
  std::string enforcer;  // its name in the configuration
  enum class Wanted : uint8_t { applied, undone } wanted = Wanted::applied;
  enum class Actual : uint8_t {
    pending,
    applied,
    undone,
    failed,
    unsupported
  } actual = Actual::pending;
  uint32_t attempts = 0;
  std::optional<Time> next_try;  // nothing: not before something changes
  Time changed_at;
  std::string error;  // of the last failed attempt
};
std::string_view name_of(Enforcement::Wanted wanted);
std::string_view name_of(Enforcement::Actual actual);

}  // namespace watchpost::store
