#pragma once
#include "base/time.h"
#include "model/decision.h"
#include "model/signal.h"
#include "model/verdict.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost {

enum class IncidentState : uint8_t { open, closed };
std::string_view name_of(IncidentState state);

// A line of an incident's history: what happened, when, by whom.
struct TimelineEntry {
  Time at;
  std::string who;   // "watchpost" or a person
  std::string what;  // one sentence
};

// The evidence of one signal as it was when it came: never changed afterwards.
struct Evidence {
  Signal signal;
  std::vector<std::string> sample_events;  // JSON, see docs/formats/event.md
};

// What people work on: the signals about one cause, their evidence, the measures taken, a verdict.
struct Incident {
  IncidentId id;
  IncidentState state = IncidentState::open;
  Stream subject;  // who it is about
  std::string title;
  Time opened_at;
  Time updated_at;
  Verdict verdict = Verdict::none;    // what a person found
  Verdict suggested = Verdict::none;  // what the evidence says so far
  std::string suggested_because;      // one line for each thing that speaks for or against it
  std::vector<Evidence> evidence;
  std::vector<TimelineEntry> timeline;
  std::vector<DecisionId> decisions;
};

}  // namespace watchpost
