#include "suppress/csv_records.h"

#include <algorithm>

#include <fmt/format.h>

namespace watchpost::suppress {
namespace {

constexpr size_t kLongestField = size_t{64} * 1024;
constexpr size_t kMostFields = 100;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

CsvRecords::CsvRecords(std::string_view text) : rest_(text), size_(text.size()) {
  if (rest_.starts_with(kByteOrderMark)) rest_.remove_prefix(kByteOrderMark.size());
}

bool CsvRecords::next(std::vector<std::string>& fields, std::string& fault) {
  fields.clear();
  fault.clear();
  touched_end_ = false;
  if (rest_.empty()) return false;
  line_ += lines_taken_;
  const std::string_view begin = rest_;
  do {
    fault = field(fields.emplace_back());
  } while (fault.empty() && comma_ && fields.size() < kMostFields);
  if (fault.empty() && comma_) fault = fmt::format("it has more than {} fields", kMostFields);
  if (!fault.empty()) {
    rest_ = begin;
    const size_t end = rest_.find('\n');
    touched_end_ = touched_end_ || end == std::string_view::npos;
    rest_.remove_prefix(std::min(end, rest_.size() - 1) + 1);
  }
  const std::string_view taken = begin.substr(0, begin.size() - rest_.size());
  lines_taken_ = static_cast<uint64_t>(std::ranges::count(taken, '\n'));
  return true;
}

// Takes one field and what ends it. Gives what is wrong with it.
std::string CsvRecords::field(std::string& value) {
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
  if (rest_.empty()) {
    touched_end_ = true;
    return {};
  }
  comma_ = rest_.front() == ',';
  if (!comma_ && rest_.front() != '\n') return "something stands behind a closing quote";
  rest_.remove_prefix(1);
  // Behind a comma at the end there is a field without anything.
  touched_end_ = touched_end_ || (comma_ && rest_.empty());
  return {};
}

std::string CsvRecords::quoted(std::string& value) {
  size_t at = 1;
  while (at < rest_.size() && at <= kLongestField) {
    if (rest_[at] != '"') {
      value += rest_[at++];
    } else if (at + 1 < rest_.size() && rest_[at + 1] == '"') {
      value += '"';
      at += 2;
    } else {
      touched_end_ = touched_end_ || at + 1 == rest_.size();
      rest_.remove_prefix(at + 1);
      return {};
    }
  }
  touched_end_ = touched_end_ || at >= rest_.size();
  return "a quote is not closed";
}

size_t whole_records(std::string_view text) {
  CsvRecords records(text);
  std::vector<std::string> fields;
  std::string fault;
  size_t whole = 0;
  while (records.next(fields, fault) && !records.touched_end()) whole = records.taken();
  return whole;
}

}  // namespace watchpost::suppress
