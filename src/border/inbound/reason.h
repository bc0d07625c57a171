#pragma once
#include "model/mail_verdict.h"

#include <cstdint>
#include <string>
#include <vector>

namespace watchpost::border {

// Who wants something of a message: of two that want the same, the first says so.
enum class Source : uint8_t {
  decision,  // a decision in force: nothing takes its place
  trouble,   // something was not to be had: the same
  policy,    // [border]
  filter,    // a filter rule
};

// A reason as the gate weighs it.
struct Reason {
  VerdictReason said;
  Source source = Source::policy;
  // Whether it says something of those who vouch for the message. Not what Watchpost caused itself,
  // nor what rests on their reputation alone: that would keep itself alive.
  bool evidence = true;
  // Of what refuses: "550 5.7.26 text" with its mark; empty: one of its own is made.
  std::string reply;
  bool announced = false;  // of a filter in mode notify: stands in the header as well
  bool certain = false;    // of a filter: what it finds is malicious for certain
};

}  // namespace watchpost::border
