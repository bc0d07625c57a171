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
  // Of a search for one recipient and `all`: what each was before its last changes, newest first.
  std::vector<Suppression> history;
};
struct SuppressionLift {
  std::string recipient;  // as it is written
  std::string customer;   // exactly; empty: that for everybody
  std::string reason;     // empty: whatever it is
  std::string why;
};
struct ImportOptions {
  suppress::CsvOptions csv;
  std::string from;      // where the list came from, for the record
  bool again = false;    // also those that a person lifted
  bool dry_run = false;  // only what would be done
};
struct ImportReceipt {
  size_t taken = 0;                        // of a dry run: could be
  size_t unchanged = 0;                    // suppressed already, and for as long
  size_t left_lifted = 0;                  // a person had lifted them
  size_t over = 0;                         // lifted or ended, as the list says itself
  size_t bad = 0;                          // lines left out
  std::vector<suppress::CsvFault> faults;  // of these, the first
  std::string columns;                     // as they were understood: CsvOptions::columns
  std::vector<Suppression> first;          // of a dry run: the first of those taken
};

}  // namespace watchpost::investigate
