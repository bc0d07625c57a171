#pragma once
#include "base/time.h"
#include "model/suppression.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::suppress {

struct CsvFault {
  uint64_t line = 0;  // from 1
  std::string what;   // a sentence, without bytes of the line that were not escaped
};

// Lists as CSV (RFC 4180): recipient, customer, reason, until, note.
//   Bounds: a field of at most 64 KiB, quotes included; notes of at most 1,000 bytes, customers of
//   255.
struct CsvRead {
  std::vector<Suppression> rows;
  std::vector<CsvFault> faults;  // of lines that are left out; the others are all in `rows`
};

// What a line that does not say has.
struct CsvDefaults {
  std::string customer;
  SuppressionReason reason = SuppressionReason::imported;
};

// The columns are those above, as many as are there, or those that the first line names: one of
// them `recipient` (or `email`, `email_address`, `address`), the others in any order, names that
// are not known left out. `until`: a time, a date, or a span from `now`. A recipient is one address
// whose domain is a name; of a text that a spreadsheet would take for a formula (it begins with one
// of = + - @), the apostrophe in front is taken off. Pure and total.
CsvRead read_csv(std::string_view text, const CsvDefaults& defaults, Time now);

// A cell of any CSV, quoted where it has to be. What a spreadsheet would take for a formula has an
// apostrophe in front: cells may hold what strangers wrote.
std::string csv_field(std::string_view text);

// With line ends.
std::string csv_header();
std::string csv_line(const Suppression& one);

}  // namespace watchpost::suppress
