#pragma once
#include "model/incident.h"
#include "model/signal.h"

#include <cstddef>
#include <string>

namespace watchpost::decide {

// What the incident's own evidence cannot say.
struct FaultContext {
  size_t earlier_incidents = 0;    // about the same customer, with measures
  bool others_fail_there = false;  // other customers fail at the same provider as well
};

struct Fault {
  Verdict cause = Verdict::none;
  // One line for each thing that speaks for or against a cause; those about `cause` first. Safe to
  // show.
  std::string because;
};

// Whose fault it looks like. Pure. In this order:
//   compromised       a sign of a stolen login, and any other sign on the same login
//   receiver_fault    a signal of a receiver at fault; or nearly all failures of one of ours, other
//                     than complaints, at one provider, while other customers fail there too
//   bad_list          signs of a bad list, spread over providers, and none of a stolen login
//   content           blocks for content, at several providers
//   abusive_customer  complaints without signs of a bad list; or it is not the customer's first
//   time
// Where no rule decides and all signs say the same, that.
Fault suggested_fault(const Incident& incident, const FaultContext& context);

// The provider that nearly all of this signal's failures are at; empty where there is none.
std::string_view failing_provider(const Signal& signal);

// Most failures of a customer, campaign or login are at this provider (80 % or more), and nothing
// points to a stolen login or to the mail itself (complaints, content): while the receiver is at
// fault, this says nothing about the sender.
bool is_explained_by_outage(const Signal& signal, std::string_view provider);
// The provider with the largest share of the failures, or the stream's own; may be empty.
std::string_view main_provider(const Signal& signal);

}  // namespace watchpost::decide
