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

// The same text for the same parts, in whatever order: what scopes are looked up by.
std::string canonical(const Stream& scope);

// `a` lets through no more than `b` does. Of two throttles by rate the one with the lower rate is
// stricter, and of two by share the one with the lower share. A rate and a share cannot be
// compared: neither of them is.
bool at_least_as_strict(const Measure& a, const Measure& b);
// An order of all measures, strictest first, that agrees with the above; shares stand before rates.
bool stricter(const Measure& a, const Measure& b);

// What an incident is about: the narrowest dimension of the stream that names somebody. A campaign
// keeps its customer beside it, since two customers may use one name.
Stream subject_of(const Stream& stream);
// The same of a signal: where a receiver is at fault, it is about the receiver.
Stream subject_of(const Signal& signal);

// One of ours: a customer, a campaign or a login.
bool names_one_of_ours(const Stream& stream);
// Nothing but who receives the mail, or the address of ours that it leaves from: many senders.
bool names_no_sender(const Stream& stream);

// What makes a signal itself: the same one read again has the same episode.
std::string episode_of(const Signal& signal);

}  // namespace watchpost::decide
