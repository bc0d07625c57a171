#pragma once
#include "base/time.h"
#include "model/event.h"
#include "model/stream.h"

namespace watchpost::detect {

struct WatchState;

// Hours in which a measure of ours kept mail back: no stream learns from them what is usual. Time
// does not pass with them.
void note_kept_back(WatchState& state, const Event& event);               // it is self-inflicted
void note_kept_back(WatchState& state, const Stream& stream, Time from);  // until now

}  // namespace watchpost::detect
