#pragma once
#include "base/result.h"
#include "ingest/byte_stream.h"
#include "ingest/descriptor.h"
#include "ingest/follow_position.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace watchpost::ingest {

// A regular file as it was seen a moment ago.
struct LogFile {
  std::string path;
  uint64_t device = 0;
  uint64_t inode = 0;
  uint64_t size = 0;
  int64_t written_ns = 0;
  int64_t born_ns = 0;  // 0: the file system does not say

  bool is_of(const FollowPosition& position) const;
  bool same_file(const LogFile& other) const {
    return device == other.device && inode == other.inode;
  }
};
// Errors: not_found, unavailable (no permission), refused (not a regular file).
Result<LogFile> look_at(const std::string& path);
// The same of an open file that has, or had, this path.
Result<LogFile> look_at(int descriptor, const std::string& path);

// A log and what rotation has made of it.
struct Generations {
  // Oldest first: path.N, path-YYYYMMDD..., each also packed as .gz or .zst; and any file beside it
  // (or beside what it points to) that is the one of a position. Without the live one.
  std::vector<LogFile> older;
  Result<LogFile> live;

  bool same_files(const Generations& other) const;
};
// As they stand at one moment, also where files are renamed while it looks.
Generations generations_of(const std::string& path, const FollowPosition& position);

// A log that is open for reading at `offset`.
struct OpenLog {
  LogFile file;
  Descriptor plain;                  // for a file that is not packed, or ...
  std::optional<ByteStream> packed;  // ... standing at `offset`
  uint64_t offset = 0;
  std::string head;  // its first bytes, as far as `offset`
  std::string tail;  // those before `offset`
};
Result<OpenLog> open_at_beginning(const std::string& path);
// At the beginning of the last line that has no end yet, or at the end. Only for plain files.
Result<OpenLog> open_at_end(const std::string& path, size_t longest_line);
// Not found where the file is another one than that of `position`.
Result<OpenLog> open_at(const std::string& path, const FollowPosition& position);

// The file that holds `position`, whether live or rotated. not_found where it is gone;
// unavailable where it is there and cannot be read now.
Result<OpenLog> find_log(const std::string& path, const FollowPosition& position);
// What to read after the file of `position`, which has been read to its end (`still_open`) or is
// gone: the next older generation or the live file. Errors: those of the live file.
Result<LogFile> successor(const std::string& path, const FollowPosition& position, bool still_open);

}  // namespace watchpost::ingest
