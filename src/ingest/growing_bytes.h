#pragma once
#include "base/result.h"
#include "ingest/descriptor.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace watchpost::ingest {

// The bytes of a file that may still be written to, unpacked where it is zstd, told by its first
// bytes: a frame, or a block of one, that is there only in part is waited for.
//   Threads: none inside.
//   Fails:   unavailable where it cannot be read; corrupt where the packing is broken, after the
//            bytes before that, and from then on always.
class GrowingBytes {
 public:
  static Result<GrowingBytes> open(const std::string& path);
  GrowingBytes(GrowingBytes&&) noexcept;
  GrowingBytes& operator=(GrowingBytes&&) noexcept;
  ~GrowingBytes();

  // How many bytes came; 0: there are no more for now.
  Result<size_t> read(std::span<char> into);
  // What was read so far could be all of it: it does not end within a frame.
  bool whole() const;
  uint64_t raw_read() const;  // bytes taken from the file itself
  int descriptor() const;

 private:
  struct State;
  explicit GrowingBytes(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace watchpost::ingest
