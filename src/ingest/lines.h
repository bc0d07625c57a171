#pragma once
#include "base/result.h"
#include "base/time.h"
#include "ingest/byte_stream.h"
#include "ingest/line_buffer.h"

#include <cstdint>
#include <optional>
#include <string>

namespace watchpost::ingest {

inline constexpr size_t kLongestLine = 64 * 1024;

// The lines of a file or of standard input, to its end: plain, gzip or zstd.
//   Use:     Line line;
//            while (reader->next(line)) ...
//            if (reader->error()) ...        // what came before it was given out
//   Threads: none inside.
//   Rules:   CR LF ends a line as LF does; all other bytes pass through; a last line without a
//            newline is given too; lines longer than the bound are cut and counted.
class LineReader {
 public:
  // "-" is standard input. Fails where it cannot be opened or is packed in a way unknown here.
  static Result<LineReader> open(const std::string& path, size_t longest_line = kLongestLine,
                                 ByteStream::Enough enough = {});

  // The line is good until the next call.
  bool next(Line& line);
  const std::optional<Error>& error() const { return error_; }
  // Equal for the same line of a copied, renamed or packed file.
  Hash128 id_of(const Line& line) const { return line_id(buffer_.generation(), line); }

  uint64_t cut_lines() const { return buffer_.cut_lines(); }
  // For progress: bytes of the file as it lies on disk, and how many there are (0: not known).
  uint64_t bytes_read() const { return bytes_.raw_read(); }
  uint64_t size() const { return size_; }
  // When the file was last written; nothing for pipes.
  std::optional<Time> modified_at() const { return modified_at_; }

 private:
  LineReader(ByteStream bytes, size_t longest_line);
  ByteStream bytes_;
  LineBuffer buffer_;
  std::optional<Error> error_;
  uint64_t size_ = 0;
  std::optional<Time> modified_at_;
  bool ended_ = false;
};

}  // namespace watchpost::ingest
