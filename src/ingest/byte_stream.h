#pragma once
#include "base/result.h"
#include "ingest/descriptor.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

namespace watchpost::ingest {

// The bytes of a file from its beginning, unpacked where it is gzip (also several members) or zstd
// (also several frames), told by its first bytes and not by its name.
//   Threads: none inside.
//   Fails:   unavailable where it cannot be read, corrupt where the packing is broken or ends early
//            (after the bytes before that), refused for packings that it does not know.
class ByteStream {
 public:
  // Asked a few times a second while there is nothing to read; true: no more is wanted, which is
  // the end of the file then.
  using Enough = std::function<bool()>;
  // "-" is standard input.
  static Result<ByteStream> open(const std::string& path, Enough enough = {});
  // `about` names the file in errors.
  static Result<ByteStream> over(Descriptor file, std::string about, Enough enough = {});
  ByteStream(ByteStream&&) noexcept;
  ByteStream& operator=(ByteStream&&) noexcept;
  ~ByteStream();

  // How many bytes came; 0 at the end. May be fewer than there is room for.
  Result<size_t> read(std::span<char> into);
  bool packed() const;
  uint64_t raw_read() const;  // bytes taken from the file itself
  int descriptor() const;

 private:
  struct State;
  explicit ByteStream(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace watchpost::ingest
