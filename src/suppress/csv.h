#pragma once
#include "base/result.h"
#include "base/time.h"
#include "model/suppression.h"
#include "suppress/csv_columns.h"

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
  uint64_t over = 0;             // lines that say themselves that they were lifted or have ended
  CsvColumns columns;            // as they were understood
};

struct CsvOptions {
  // What a line that does not say has.
  std::string customer;
  SuppressionReason reason = SuppressionReason::imported;
  // text_of(CsvColumns) of a list whose beginning was read before; empty: the first line names
  // them, or they are the usual ones.
  std::string columns;
};

// The usual columns where the first line begins with an address, as many as are there; else those
// that it names, in any order, names that are not known left out. `until`: a time, a date, or a
// span from `now`. A recipient is one address whose domain is a name; of a text that a spreadsheet
// would take for a formula (it begins with one of = + - @), the apostrophe in front is taken off.
// Under a heading, a reason that is none of ours goes into the note. Pure and total.
//   Fails: bad_input with nothing taken where the first line neither begins with an address nor
//          names a column for it, or the text is UTF-16 or has the line ends of old Macs.
Result<CsvRead> read_csv(std::string_view text, const CsvOptions& options, Time now);

// A cell of any CSV, quoted where it has to be. What a spreadsheet would take for a formula has an
// apostrophe in front: cells may hold what strangers wrote.
std::string csv_field(std::string_view text);

// With line ends. Behind the columns that are read again: the state at `now`, and how it came.
std::string csv_header();
std::string csv_line(const Suppression& one, Time now);

}  // namespace watchpost::suppress
