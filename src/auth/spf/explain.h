#pragma once
#include "auth/spf/spf.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::auth {

// One term of the domain's record, or of a record that it leads to, in the order of evaluation.
struct SpfStep {
  size_t depth = 0;       // 0: a term of the domain's own record; 1: of one it includes
  std::string domain;     // whose record the term stands in
  std::string term;       // as written: "include:_spf.example.org", "redirect=example.net"
  bool reached = false;   // the check comes to it; what follows the match is shown all the same
  bool matches = false;   // it matches the client, whether it is reached or not
  bool decides = false;   // it is what the verdict comes from, or leads there
  uint32_t look_ups = 0;  // it counts as so many of the ten, without those of what it includes
  bool is_void = false;   // it counts as one of the two void look-ups
  std::vector<std::string> asked;  // "A mail.example.org: 192.0.2.1", in words
  std::string words;               // what it says of the client, in one sentence
};

// What is wrong with a domain's records, whether the client comes to it or not.
enum class SpfProblemKind : uint8_t {
  unanswered,        // a look-up failed
  unusable,          // a record is missing or cannot be read, or a term of it is an error
  several_records,   // of which receivers use none (RFC 7208 section 4.5)
  loop,              // an include or redirect leads back to where it came from
  look_ups,          // more than ten (section 4.6.4)
  void_look_ups,     // more than two find nothing (section 4.6.4)
  everybody_passes,  // "+all"
};
struct SpfProblem {
  SpfProblemKind kind = SpfProblemKind::unusable;
  std::string words;  // one sentence; names in it come from outside
};
// What to do about it, in one sentence.
std::string_view advice_on(SpfProblemKind kind);

struct SpfExplanation {
  SpfVerdict verdict;
  std::vector<SpfStep> steps;
  // What the record costs where nothing matches early.
  uint32_t look_ups = 0, void_look_ups = 0;
  bool complete = true;  // false: there are more terms than are shown
  // How many IPv4 addresses the terms that say pass let in, each counted where it is named: the
  // breadth of the record. %{i} and its like are not reckoned with.
  double ipv4_addresses = 0;
  bool passes_all = false;  // "+all" is reached
  std::vector<SpfProblem> problems;
};

inline constexpr size_t kMostSpfSteps = 200;
inline constexpr size_t kDeepestSpfStep = 20;

// The verdict of check_spf(), and every term with its look-ups, beyond the first match and beyond
// the limits. A record that leads back to itself is gone into once. `resolver` and `budget` outlive
// the wait.
Async<SpfExplanation> explain_spf(SpfQuestion question, dns::Resolver& resolver,
                                  dns::Budget& budget);

}  // namespace watchpost::auth
