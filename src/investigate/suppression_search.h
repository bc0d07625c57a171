#pragma once
#include "base/time.h"
#include "model/suppression.h"
#include "suppress/csv.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace watchpost::investigate {

struct SuppressionSearch {
  std::string recipient;                // as it is written; empty: all
  std::optional<std::string> customer;  // exactly; empty text: those for everybody
  std::string reason;                   // empty: all
  std::optional<Time> since;
  bool all = false;  // also those that hold no more
  size_t limit = 100;
  std::string after;
};
struct SuppressionPage {
  std::vector<Suppression> suppressions;  // changed last first
  std::string next;                       // empty: no more
};
struct ImportReceipt {
  size_t taken = 0;
  size_t unchanged = 0;                    // suppressed already, and for as long
  size_t bad = 0;                          // lines left out
  std::vector<suppress::CsvFault> faults;  // of these, the first
};

}  // namespace watchpost::investigate
