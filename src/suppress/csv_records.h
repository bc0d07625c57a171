#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::suppress {

// Takes a CSV (RFC 4180) apart into records, and says on which line each begins.
//   Owns:   nothing; the text outlives it.
//   Bounds: a field of at most 64 KiB, quotes included; 100 fields.
class CsvRecords {
 public:
  explicit CsvRecords(std::string_view text);

  // False at the end. `fault` says what is wrong with the record, which then is left behind: the
  // next line is tried again, whatever this one has opened.
  bool next(std::vector<std::string>& fields, std::string& fault);
  uint64_t line() const { return line_; }
  // Of the text, behind the record taken last.
  size_t taken() const { return size_ - rest_.size(); }
  // The record taken last may go on, or be no fault, where the text goes on.
  bool touched_end() const { return touched_end_; }

 private:
  std::string field(std::string& value);
  std::string quoted(std::string& value);

  std::string_view rest_;
  size_t size_ = 0;
  bool comma_ = false;  // behind the field taken last
  bool touched_end_ = false;
  uint64_t line_ = 1;
  uint64_t lines_taken_ = 0;
};

// How many bytes of the beginning of a text hold whole records only, however it goes on.
size_t whole_records(std::string_view text);

}  // namespace watchpost::suppress
