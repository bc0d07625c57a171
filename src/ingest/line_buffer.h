#pragma once
#include "base/hash.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::ingest {

// A file is known again by its first bytes and by those before the place where reading stopped.
inline constexpr size_t kHeadBytes = 1024;
inline constexpr size_t kTailBytes = 256;

// One line as it stands in its file.
struct Line {
  std::string_view text;  // without its newline (or CR LF)
  uint64_t offset = 0;    // of its first byte, in the unpacked file
  bool cut = false;       // longer than the bound: only its beginning is here
};

// What tells the lines of one file from those of another: its first line, as long as it is within
// the first kHeadBytes. Equal for copies and packed copies. Zero while `head` does not hold enough.
Hash128 generation_of(std::string_view head);
// The identity of a line: the same however its file is named, moved, copied or packed.
Hash128 line_id(const Hash128& generation, const Line& line);

// Bytes of a file in, lines out, without copying.
//   Use:     read into room(), say filled(), take lines with next() until false; again.
//   Owns:    the bytes. A line's text is good until the next room() or restart().
//   Threads: none inside.
//   Rules:   lines longer than `longest` are cut there; the rest of them is skipped without
//            being kept.
class LineBuffer {
 public:
  explicit LineBuffer(size_t longest);

  // Goes on at `offset` of some file. `head` is the file's beginning and `tail` what stands before
  // the offset: both may be shorter than their bounds only where the offset is.
  void restart(uint64_t offset, std::string_view head, std::string_view tail);
  std::span<char> room();
  void filled(size_t bytes);
  bool next(Line& line);
  // The rest behind the last newline, where there is one: for the end of a file.
  bool last(Line& line);

  uint64_t consumed() const;                     // offset behind the last line given out
  uint64_t end() const { return base_ + end_; }  // offset behind the last byte that came in
  std::string_view head() const;    // the file's first bytes, as far as they are consumed
  std::string_view tail() const;    // up to kTailBytes before consumed()
  std::string_view newest() const;  // up to kTailBytes before end()
  const Hash128& generation() const { return generation_; }
  uint64_t cut_lines() const { return cut_lines_; }

 private:
  void begin_skipping();
  void give(Line& line, size_t newline);

  size_t longest_;
  std::vector<char> bytes_;
  uint64_t base_ = 0;   // offset of bytes_[0]
  size_t begin_ = 0;    // first byte not given out
  size_t scanned_ = 0;  // no newline before
  size_t end_ = 0;
  std::string head_;
  Hash128 generation_;
  bool skipping_ = false;  // within a line that is longer than the bound
  std::string long_line_;  // its beginning
  uint64_t long_offset_ = 0;
  std::string tail_before_;  // tail() as it was before that line
  uint64_t cut_lines_ = 0;
};

}  // namespace watchpost::ingest
