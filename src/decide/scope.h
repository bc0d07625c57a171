#pragma once
#include "model/measure.h"
#include "model/signal.h"
#include "model/stream.h"

#include <string>

namespace watchpost::decide {

// The same parts, in whatever order.
bool same_scope(const Stream& a, const Stream& b);
// Every part of `wide` stands in `narrow`: what holds for `wide` holds for `narrow`.
bool contains(const Stream& wide, const Stream& narrow);

// `a` lets through no more than `b` does. Of two throttles the one with the lower rate is stricter.
bool at_least_as_strict(const Measure& a, const Measure& b);

// What an incident is about: the narrowest dimension of the stream that names somebody. A campaign
// keeps its customer beside it, since two customers may use one name.
Stream subject_of(const Stream& stream);

// What makes a signal itself: the same one read again has the same episode.
std::string episode_of(const Signal& signal);

}  // namespace watchpost::decide
