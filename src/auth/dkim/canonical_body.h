#pragma once
#include "auth/dkim/dkim.h"
#include "crypto/sha256_stream.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::auth {

// The digests of one body in one canonical form (RFC 6376 sections 3.4.3 and 3.4.4), one for each
// limit that signatures set. Bare line feeds end lines, as they will have once the message is sent
// on; a carriage return that ends none is a byte like others.
//   Use:     want() for each limit, add() the body in pieces of any size, finish(), then digest().
//   Threads: none inside.
class CanonicalBody {
 public:
  explicit CanonicalBody(Canonicalisation how) : relaxed_(how == Canonicalisation::relaxed) {}

  // Each limit costs a digest of the body: there are no more than these.
  static constexpr size_t kMostLimits = 10;
  bool has_room_for(std::optional<uint64_t> limit) const;
  // The place of this limit's digest; the same for the same limit.
  size_t want(std::optional<uint64_t> limit);
  // From here on the canonical bytes are appended to this text as well, which outlives them.
  void keep(std::string& text) { kept_ = &text; }
  void add(std::string_view piece);
  void finish();

  const crypto::Sha256& digest(size_t place) const { return wanted_[place].digest; }
  uint64_t size() const { return size_; }  // of the whole canonical body, in bytes

 private:
  struct Wanted {
    std::optional<uint64_t> limit;
    crypto::Sha256Stream stream;
    crypto::Sha256 digest{};
  };

  // Behind the byte or the two at `at` that need thought: blanks, line ends.
  size_t odd_bytes(std::string_view piece, size_t at);
  // Behind the bytes at `at` that stand in the canonical form as they are.
  size_t plain_run(std::string_view piece, size_t at);
  void line_end();
  void before_text();
  void put(std::string_view bytes);
  void flush();

  bool relaxed_;
  bool held_cr_ = false;       // the last piece ended with it
  bool blank_ = false;         // relaxed: blanks that stand before text or are dropped
  bool at_line_begin_ = true;  // nothing of this line has been put
  bool any_ = false;           // something has been put
  uint64_t empty_lines_ = 0;   // not put: dropped where the body ends with them
  uint64_t size_ = 0;
  std::string* kept_ = nullptr;
  size_t filled_ = 0;
  std::array<char, 4096> block_;
  std::vector<Wanted> wanted_;
};

}  // namespace watchpost::auth
