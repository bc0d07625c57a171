#pragma once
#include "base/result.h"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::feedback {

struct CsvLimits {
  size_t longest_line = 64 * 1024;  // a line of that size was cut off
  size_t record_bytes = 64 * 1024;  // of a record of several lines
};

// Lines of comma-separated values (RFC 4180) -> records. A line break within quotes goes on to the
// next line and comes out as one blank.
//   Use:     line() for each line; after `record`, fields() until the next call.
//   Threads: none inside.
//   Fails:   never. What stands within quotes is never taken for a record, whoever wrote it; where
//            a quote was never closed (a writer that died), lines are dropped until a line shows
//            that it cannot go on like that.
class CsvLines {
 public:
  enum class Outcome {
    record,    // fields() has it
    open,      // goes on in the next line
    left_out,  // part of a record that is not used
  };
  explicit CsvLines(CsvLimits limits) : limits_(limits) {}

  Outcome line(std::string_view text);
  std::span<const std::string_view> fields() const { return fields_; }
  // What the last line() or begin_file() gave up, and why; empty where nothing.
  std::string_view dropped() const { return dropped_; }
  std::string_view dropped_because() const { return because_; }

  // A new file begins: no record goes on into it.
  void begin_file();

  // What is open, as bytes, and back.
  std::string save() const;
  Result<Done> restore(std::string_view saved);

 private:
  enum class State { start, plain, quoted, closing, broken };
  static State scan(std::string_view text, State state, bool strict);
  Outcome first_line(std::string_view text);
  Outcome next_line(std::string_view text);
  void drop(std::string_view because, std::string_view what);
  void split(std::string_view text);

  CsvLimits limits_;
  bool within_ = false;    // a quote is open
  bool skipping_ = false;  // ... of a record that is not used
  std::string open_;       // its lines so far
  std::string record_;     // the one that fields_ points into, where it had several lines
  std::string unescaped_;  // fields with doubled quotes
  std::vector<std::string_view> fields_;
  std::string dropped_;
  std::string_view because_;
};

}  // namespace watchpost::feedback
