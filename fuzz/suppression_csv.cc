// A list of recipients as somebody sends it: a list is refused, or every line is a row or a fault,
// and what is written of a row is read again as the same.
#include "base/result.h"
#include "suppress/csv.h"
#include "suppress/csv_records.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace watchpost;
  const Time now(std::chrono::seconds(1'790'000'000));
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  WP_CHECK(suppress::whole_records(text) <= size);
  const auto read = suppress::read_csv(text, {.customer = "acme"}, now);
  if (!read) return 0;
  uint64_t line = 0;
  for (const suppress::CsvFault& fault : read->faults) {
    WP_CHECK(fault.line > line);
    WP_CHECK(std::ranges::none_of(fault.what, [](char c) { return c >= 0 && c < ' '; }));
    line = fault.line;
  }
  WP_CHECK(line <= static_cast<uint64_t>(std::ranges::count(text, '\n')) + 1);
  for (const Suppression& row : read->rows) {
    WP_CHECK(row.recipient == suppression_key(row.recipient));
    WP_CHECK(!row.recipient.empty());
    WP_CHECK(!row.customer.empty());
    WP_CHECK(!row.until || *row.until > now);
    const auto again =
        suppress::read_csv(suppress::csv_header() + suppress::csv_line(row, now), {}, now);
    WP_CHECK(again.has_value());
    WP_CHECK(again->faults.empty());
    WP_CHECK(again->rows.size() == 1);
    WP_CHECK(again->rows[0].recipient == row.recipient);
    WP_CHECK(again->rows[0].customer == row.customer);
    WP_CHECK(again->rows[0].note == row.note);
    WP_CHECK(again->rows[0].reason == row.reason);
    WP_CHECK(again->rows[0].until == row.until);
  }
  return 0;
}
