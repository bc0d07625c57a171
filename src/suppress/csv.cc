#include "suppress/csv.h"

#include "base/ascii.h"
#include "base/text.h"
#include "suppress/csv_records.h"
#include "suppress/customer.h"
#include "suppress/until.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace watchpost::suppress {
namespace {

constexpr size_t kLongestNote = 1000;

// A spreadsheet takes what begins so for a formula, also behind blanks. A text that does is written
// with an apostrophe in front, which says "text" to it; one that already begins with apostrophes
// gets another, so that reading takes off what writing put there.
bool is_like_formula(std::string_view text) {
  const size_t first = text.find_first_not_of("' \t\r\n");
  return first != std::string_view::npos && std::string_view("=+-@").contains(text[first]);
}

std::string_view without_mark(std::string_view text) {
  return text.starts_with('\'') && is_like_formula(text) ? text.substr(1) : text;
}

Error no_address(std::string_view text) {
  if (text.find('@') != std::string_view::npos &&
      text.find_first_of(";\t") != std::string_view::npos) {
    return {Code::bad_input,
            "its fields are separated by semicolons or tabs: only commas are read",
            {}};
  }
  return {Code::bad_input, fmt::format("`{}` is not an address", escaped(text, 60)), {}};
}

// By column; empty where the line has none.
using Values = std::array<std::string_view, 7>;

std::string_view value(const Values& values, CsvColumn column) {
  return values[static_cast<size_t>(column)];
}

Values values_of(const std::vector<std::string>& fields, const CsvColumns& columns) {
  Values values;
  for (size_t i = 0; i < fields.size() && i < columns.columns.size(); ++i) {
    if (columns.columns[i] == CsvColumn::unused) continue;
    values[static_cast<size_t>(columns.columns[i])] = without_mark(trim(fields[i]));
  }
  return values;
}

// A line of an export of all that there was.
bool is_over(const Values& values) {
  const std::string_view state = value(values, CsvColumn::state);
  return equal_nocase(state, "lifted") || equal_nocase(state, "ended");
}

Result<Done> take_customer(std::string_view name, bool named, Suppression& row) {
  if (name.empty()) return Done{};
  if (const auto fine = check_customer(name); !fine) return fail(fine.error());
  // Two addresses in a line are no address and its customer, unless the heading says so.
  if (!named && name.find('@') != std::string_view::npos) {
    return fail(Code::bad_input,
                "its second field, the customer, is an address: name the columns in a first line");
  }
  row.customer = name;
  return Done{};
}

// What others write as a reason may be a sentence: under a heading, it is kept as a note.
Result<Done> take_reason(std::string_view text, bool named, Suppression& row) {
  if (text.empty()) return Done{};
  if (const auto reason = reason_called(text)) {
    row.reason = *reason;
    return Done{};
  }
  if (!named) return fail(Code::bad_input, fmt::format("`{}` is no reason", escaped(text, 40)));
  const size_t room = kLongestNote - row.note.size();
  constexpr size_t kEllipsis = 8;
  if (room <= 2 + kEllipsis) return Done{};
  if (!row.note.empty()) row.note += "; ";
  row.note += escaped(text, kLongestNote - row.note.size() - kEllipsis);
  return Done{};
}

Result<Suppression> row_from(const Values& values, bool named, const CsvOptions& options,
                             Time now) {
  Suppression row{.recipient = suppression_key(value(values, CsvColumn::recipient)),
                  .customer = options.customer,
                  .reason = options.reason};
  if (row.recipient.empty()) return fail(no_address(value(values, CsvColumn::recipient)));
  row.note = value(values, CsvColumn::note);
  if (row.note.size() > kLongestNote) return fail(Code::bad_input, "the note is too long");
  if (const auto done = take_customer(value(values, CsvColumn::customer), named, row); !done) {
    return fail(done.error());
  }
  if (const auto done = take_reason(value(values, CsvColumn::reason), named, row); !done) {
    return fail(done.error());
  }
  const auto until = until_from(value(values, CsvColumn::until), now);
  if (!until) return fail(until.error());
  row.until = *until;
  return row;
}

// What no line of a CSV begins with, or ends in.
Result<Done> check_bytes(std::string_view text) {
  const bool zero = text.size() >= 2 && (text[0] == '\0' || text[1] == '\0');
  if (zero || text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    return fail(Code::bad_input, "it is UTF-16: save it as UTF-8");
  }
  if (text.find('\n') == std::string_view::npos && text.find('\r') < text.size() - 1) {
    return fail(Code::bad_input, "its lines end in CR alone: save it with LF or CR LF");
  }
  return Done{};
}

bool is_blank(const std::vector<std::string>& fields) {
  return std::ranges::all_of(fields, [](const auto& field) { return trim(field).empty(); });
}

// What a first line that is no row says of the columns. One that says nothing is refused with all
// behind it: to take the usual columns for granted would suppress whatever stands in them.
Result<CsvColumns> columns_by(const std::vector<std::string>& fields, const std::string& fault,
                              uint64_t line) {
  const auto refuse = [line](std::string_view what) {
    return fail(Code::bad_input, fmt::format("line {}: {}; nothing was taken", line, what));
  };
  if (!fault.empty()) return refuse(fault);
  if (auto named = columns_named(fields)) return std::move(*named);
  const std::string_view first = without_mark(trim(fields.front()));
  if (!suppression_key(first).empty()) return usual_columns();
  if (fields.size() == 1 && first.find_first_of(";\t") != std::string_view::npos) {
    return refuse("its fields are separated by semicolons or tabs: only commas are read");
  }
  return refuse(fmt::format("`{}` is not an address, and no column is named `recipient` or `email`",
                            escaped(first, 60)));
}

}  // namespace

Result<CsvRead> read_csv(std::string_view text, const CsvOptions& options, Time now) {
  if (const auto fine = check_bytes(text); !fine) return fail(fine.error());
  CsvRead read;
  bool known = !options.columns.empty();
  if (known) {
    auto given = columns_from(options.columns);
    if (!given) return fail(given.error());
    read.columns = std::move(*given);
  }
  CsvRecords records(text);
  std::vector<std::string> fields;
  std::string fault;
  while (records.next(fields, fault)) {
    if (fault.empty() && is_blank(fields)) continue;
    if (!std::exchange(known, true)) {
      auto columns = columns_by(fields, fault, records.line());
      if (!columns) return fail(columns.error());
      read.columns = std::move(*columns);
      if (read.columns.named) continue;
    }
    if (!fault.empty()) {
      read.faults.push_back({records.line(), fault});
      continue;
    }
    const Values values = values_of(fields, read.columns);
    if (is_over(values)) {
      ++read.over;
      continue;
    }
    auto row = row_from(values, read.columns.named, options, now);
    if (row) {
      read.rows.push_back(std::move(*row));
    } else {
      read.faults.push_back({records.line(), row.error().what});
    }
  }
  return read;
}

std::string csv_field(std::string_view text) {
  std::string marked;
  if (is_like_formula(text)) {
    marked = "'" + std::string(text);
    text = marked;
  }
  if (text.find_first_of(",\"\r\n") == std::string_view::npos && trim(text) == text) {
    return std::string(text);
  }
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string csv_header() {
  return "recipient,customer,reason,until,note,state,since,origin,evidence,lifted_by\n";
}

std::string csv_line(const Suppression& one, Time now) {
  return fmt::format("{},{},{},{},{},{},{},{},{},{}\n", csv_field(one.recipient),
                     csv_field(one.customer), name_of(one.reason),
                     one.until ? format_time(*one.until) : std::string(), csv_field(one.note),
                     one.lifted       ? "lifted"
                     : one.holds(now) ? "holds"
                                      : "ended",
                     format_time(one.since), csv_field(one.origin), csv_field(one.evidence),
                     csv_field(one.lifted_by));
}

}  // namespace watchpost::suppress
