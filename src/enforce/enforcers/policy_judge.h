#pragma once
#include "enforce/decision_judge.h"
#include "enforce/enforcers/policy_protocol.h"
#include "feedback/mapping.h"

namespace watchpost::enforce {

// The event that a request speaks of, as detectors see it later. Its texts live in `batch`.
Event& event_of(const PolicyRequest& request, const feedback::Mapping& mapping, EventBatch& batch);

// Whether a policy request can tell who this scope is about. The error says which part it cannot.
Result<Done> tellable(const Stream& scope);

}  // namespace watchpost::enforce
