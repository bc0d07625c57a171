#pragma once
#include "base/time.h"
#include "model/measure.h"
#include "model/stream.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace watchpost {

// Numbers that count up from 1 within one installation; 0 is none. Shown as "d-17" and "i-4".
struct DecisionId {
  uint64_t number = 0;
  auto operator<=>(const DecisionId&) const = default;
  explicit operator bool() const { return number != 0; }
};
struct IncidentId {
  uint64_t number = 0;
  auto operator<=>(const IncidentId&) const = default;
  explicit operator bool() const { return number != 0; }
};
std::string text_of(DecisionId id);
std::string text_of(IncidentId id);
std::optional<DecisionId> decision_id_from(std::string_view text);  // "d-17" or "17"
std::optional<IncidentId> incident_id_from(std::string_view text);

enum class DecisionState : uint8_t {
  proposed,  // a person must confirm it: the blast-radius cap or the kill switch stopped it
  active,
  expired,
  revoked,  // undone by a person
};
std::string_view name_of(DecisionState state);
std::optional<DecisionState> decision_state_from(std::string_view name);

// A measure in force. Every decision ends.
struct Decision {
  DecisionId id;
  IncidentId incident;
  DecisionState state = DecisionState::active;
  Stream scope;  // never empty
  // What the detector fired for, where the scope is narrower than that; empty: the scope itself.
  Stream signalled;
  Measure measure;
  Time from;
  Time until;
  std::string detector;  // empty: made by a person
  std::string made_by;   // "watchpost", or who did it
  std::string because;   // shown to people as it is
  std::string episode;   // one decision for each detector, stream and episode
  uint32_t pace = 0;     // which step of a paced return it is, from 1; 0: no such step
  std::string ended_by;  // who revoked it
  std::string ended_why;
  std::optional<Time> ended_at;

  bool in_force(Time now) const { return state == DecisionState::active && now < until; }
};

// What would have been decided by a detector in shadow mode. Another type on purpose: nothing that
// enforces takes one.
struct ShadowDecision {
  Time at;
  std::string detector;
  Stream scope;
  Measure measure;
  std::string because;
};

}  // namespace watchpost
