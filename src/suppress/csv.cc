#include "suppress/csv.h"

#include "base/ascii.h"
#include "base/text.h"
#include "suppress/customer.h"
#include "suppress/until.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace watchpost::suppress {
namespace {

constexpr size_t kLongestField = 64 * 1024;
constexpr size_t kLongestNote = 1000;
constexpr size_t kMostFields = 100;

enum class Column : uint8_t { recipient, customer, reason, until, note, unused };
constexpr std::array kUsual{Column::recipient, Column::customer, Column::reason, Column::until,
                            Column::note};

std::optional<Column> column_from(std::string_view name) {
  struct Name {
    std::string_view name;
    Column column;
  };
  static constexpr std::array<Name, 9> kNames{{{"recipient", Column::recipient},
                                               {"email", Column::recipient},
                                               {"emailaddress", Column::recipient},
                                               {"email_address", Column::recipient},
                                               {"address", Column::recipient},
                                               {"customer", Column::customer},
                                               {"reason", Column::reason},
                                               {"until", Column::until},
                                               {"note", Column::note}}};
  const std::string lower = lower_ascii(trim(name));
  const auto found = std::ranges::find(kNames, lower, &Name::name);
  if (found == kNames.end()) return std::nullopt;
  return found->column;
}

// Takes a text apart into records, and says on which line each begins.
class Records {
 public:
  explicit Records(std::string_view text) : rest_(text) {
    if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
  }

  // False at the end. `fault` says what is wrong with the record, which then is left behind.
  bool next(std::vector<std::string>& fields, std::string& fault) {
    fields.clear();
    fault.clear();
    if (rest_.empty()) return false;
    line_ += lines_taken_;
    const std::string_view begin = rest_;
    do {
      fault = field(fields.emplace_back());
    } while (fault.empty() && comma_ && fields.size() < kMostFields);
    if (fault.empty() && comma_) fault = fmt::format("it has more than {} fields", kMostFields);
    if (!fault.empty()) {
      // The next line is tried again, whatever this one has opened.
      rest_ = begin;
      rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size() - 1) + 1);
    }
    const std::string_view taken = begin.substr(0, begin.size() - rest_.size());
    lines_taken_ = static_cast<uint64_t>(std::ranges::count(taken, '\n'));
    return true;
  }
  uint64_t line() const { return line_; }

 private:
  // Takes one field and what ends it. Gives what is wrong with it.
  std::string field(std::string& value) {
    comma_ = false;
    if (rest_.starts_with('"')) {
      if (auto fault = quoted(value); !fault.empty()) return fault;
    } else {
      const size_t end = std::min(rest_.find_first_of(",\n"), rest_.size());
      if (end > kLongestField) return "a field is too long";
      value = rest_.substr(0, end);
      rest_.remove_prefix(end);
      if (value.ends_with('\r') && !rest_.starts_with(',')) value.pop_back();
    }
    if (rest_.starts_with('\r')) rest_.remove_prefix(1);
    if (rest_.empty()) return {};
    comma_ = rest_.front() == ',';
    if (!comma_ && rest_.front() != '\n') return "something stands behind a closing quote";
    rest_.remove_prefix(1);
    return {};
  }

  std::string quoted(std::string& value) {
    size_t at = 1;
    while (at < rest_.size() && at <= kLongestField) {
      if (rest_[at] != '"') {
        value += rest_[at++];
      } else if (at + 1 < rest_.size() && rest_[at + 1] == '"') {
        value += '"';
        at += 2;
      } else {
        rest_.remove_prefix(at + 1);
        return {};
      }
    }
    return "a quote is not closed";
  }

  std::string_view rest_;
  bool comma_ = false;  // behind the field taken last
  uint64_t line_ = 1;
  uint64_t lines_taken_ = 0;
};

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

Result<Suppression> row_from(const std::vector<std::string>& fields,
                             const std::vector<Column>& columns, const CsvDefaults& defaults,
                             Time now) {
  std::array<std::string_view, 6> values;
  for (size_t i = 0; i < fields.size(); ++i) {
    const Column column = i < columns.size() ? columns[i] : Column::unused;
    values[static_cast<size_t>(column)] = without_mark(trim(fields[i]));
  }
  const auto value = [&](Column column) { return values[static_cast<size_t>(column)]; };
  Suppression row{.recipient = suppression_key(value(Column::recipient)),
                  .customer = defaults.customer,
                  .reason = defaults.reason};
  if (row.recipient.empty()) return fail(no_address(value(Column::recipient)));
  if (const auto customer = value(Column::customer); !customer.empty()) row.customer = customer;
  if (const auto fine = check_customer(row.customer); !fine) return fail(fine.error());
  if (const auto name = value(Column::reason); !name.empty()) {
    const auto reason = suppression_reason_from(lower_ascii(name));
    if (!reason) {
      return fail(Code::bad_input, fmt::format("`{}` is no reason", escaped(name, 40)));
    }
    row.reason = *reason;
  }
  const auto until = until_from(value(Column::until), now);
  if (!until) return fail(until.error());
  row.until = *until;
  row.note = value(Column::note);
  if (row.note.size() > kLongestNote) return fail(Code::bad_input, "the note is too long");
  return row;
}

// The columns that a first line names; nothing where it is a row like all others.
std::optional<std::vector<Column>> header_from(const std::vector<std::string>& fields) {
  std::vector<Column> columns;
  for (const std::string& field : fields) {
    columns.push_back(column_from(field).value_or(Column::unused));
  }
  if (std::ranges::count(columns, Column::recipient) != 1) return std::nullopt;
  return columns;
}

}  // namespace

CsvRead read_csv(std::string_view text, const CsvDefaults& defaults, Time now) {
  CsvRead read;
  Records records(text);
  std::vector<Column> columns(kUsual.begin(), kUsual.end());
  std::vector<std::string> fields;
  std::string fault;
  bool first = true;
  while (records.next(fields, fault)) {
    if (!fault.empty()) {
      read.faults.push_back({records.line(), fault});
      continue;
    }
    if (std::ranges::all_of(fields, [](const auto& field) { return trim(field).empty(); }))
      continue;
    if (std::exchange(first, false)) {
      if (auto named = header_from(fields)) {
        columns = std::move(*named);
        continue;
      }
    }
    auto row = row_from(fields, columns, defaults, now);
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

std::string csv_header() { return "recipient,customer,reason,until,note\n"; }

std::string csv_line(const Suppression& one) {
  return fmt::format("{},{},{},{},{}\n", csv_field(one.recipient), csv_field(one.customer),
                     name_of(one.reason), one.until ? format_time(*one.until) : std::string(),
                     csv_field(one.note));
}

}  // namespace watchpost::suppress
