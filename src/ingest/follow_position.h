#pragma once
#include "base/hash.h"
#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace watchpost::ingest {

// Where following a file stopped, and how to know that file again wherever it is now: neither its
// name nor its inode are enough (rotation renames, copies and packs; inodes are used again).
struct FollowPosition {
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t born_ns = 0;     // when the file was made (UNIX time): inodes are used again; 0: unknown
  uint64_t offset = 0;     // behind the last line that was used, in the unpacked file
  Hash128 head;            // of its first min(offset, kHeadBytes) bytes
  Hash128 tail;            // of the min(offset, kTailBytes) bytes before the offset
  int64_t written_ns = 0;  // when the file was last written, as of then; UNIX time

  size_t head_size() const;
  size_t tail_size() const;
  bool operator==(const FollowPosition&) const = default;

  // "follow1 DEVICE INODE BORN OFFSET HEAD TAIL WRITTEN", one blank between them. Reads back what
  // text() gives and nothing else; anything else is corrupt.
  std::string text() const;
  static Result<FollowPosition> parse(std::string_view text);
};

}  // namespace watchpost::ingest
