#pragma once
#include "base/time.h"
#include "quarantine/held.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace watchpost::quarantine {

// What to look for. What is empty is not asked for; letter case of ASCII does not count. Of copies
// (`recipient`, `state`, `requested`) one must have all that is asked for; what acts on all that a
// search finds acts on those copies alone.
struct HeldSearch {
  std::optional<Time> since, until;  // when it was kept
  std::string sender;       // of the envelope, or an author: an address, or "@" and a domain
  std::string recipient;    // the same
  std::string subject;      // a part of it
  std::string reason;       // a part of it
  std::string rule;         // exactly
  std::string disposition;  // exactly
  std::string login, customer, campaign;  // exactly
  DecisionId decision;
  std::optional<Direction> direction;
  std::optional<uint64_t> least_size, most_size;
  std::optional<CopyState> state;  // of any of its copies; none: any that is open
  bool all = false;                // with those that nothing of is open
  bool requested = false;          // only what a recipient asked for
  bool untouched = false;          // only copies that nobody has ordered anything about
  size_t limit = 100;
  std::string after;  // cursor: the `next` of the page before
};

struct HeldPage {
  std::vector<HeldMessage> messages;  // newest first
  // Empty: no more. A page may have fewer messages than asked for, or none, and yet go on: so much
  // is looked at for one page at most.
  std::string next;
};

}  // namespace watchpost::quarantine
