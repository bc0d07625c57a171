#pragma once
#include "base/time.h"
#include "model/audit.h"
#include "model/decision.h"
#include "model/incident.h"
#include "model/notice.h"
#include "model/stream.h"

#include <string>
#include <vector>

namespace watchpost::decide {

// Tells the detectors to count a stream anew: evidence from before does not count again.
struct Rearm {
  std::string detector;
  Stream stream;
};

// Mail of the stream was kept back by a measure from then until now: what did not come says nothing
// of what is usual.
struct KeptBack {
  Stream stream;
  Time since;
};

// All that one step changed. Incidents and decisions stand whole.
struct Outcome {
  std::vector<Incident> incidents;
  std::vector<Decision> decisions;
  std::vector<ShadowDecision> shadow;
  std::vector<Notice> notices;
  std::vector<AuditEntry> audit;
  std::vector<Rearm> rearm;
  std::vector<KeptBack> kept_back;
  bool state_changed = false;  // save() gives another text than before
};

}  // namespace watchpost::decide
