#pragma once
#include "base/time.h"
#include "model/decision.h"

#include <cstdint>
#include <optional>
#include <string>

namespace watchpost {

// Something to tell people, on its way to one [[notify]] target.
struct Notice {
  uint64_t number = 0;  // counts up from 1 within one installation; the idempotency key
  IncidentId incident;
  std::string target;  // the name of the [[notify]] table
  Time at;
  std::string subject;  // one line
  std::string text;
  enum class State : uint8_t { pending, sent, failed } state = State::pending;  // failed: given up
  uint32_t attempts = 0;
  std::optional<Time> next_try;
  std::string error;  // of the last failed attempt
};
std::string_view name_of(Notice::State state);

}  // namespace watchpost
