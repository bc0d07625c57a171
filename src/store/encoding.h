#pragma once
#include "base/result.h"
#include "base/time.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace watchpost::store {

// Numbers of seven bits a byte, low bits first, the high bit set on all bytes but the last.
inline constexpr size_t kVarintMost = 10;
inline char* put_varint(char* to, uint64_t number) {
  while (number >= 0x80) {
    *to++ = static_cast<char>(number | 0x80);
    number >>= 7;
  }
  *to++ = static_cast<char>(number);
  return to;
}
// False where the bytes end too early, or say a number of more than 64 bits.
bool take_varint(std::string_view& from, uint64_t& number);

// Whole numbers of any sign as small ones without.
inline uint64_t zigzag(int64_t number) {
  return (static_cast<uint64_t>(number) << 1) ^ static_cast<uint64_t>(number >> 63);
}
inline int64_t unzigzag(uint64_t number) {
  return static_cast<int64_t>(number >> 1) ^ -static_cast<int64_t>(number & 1);
}

// Values as bytes, for the bodies of rows.
class Encoder {
 public:
  void number(uint64_t value);
  void text(std::string_view value);  // its length, then its bytes: any bytes
  void real(double value);            // its bits
  void time(Time value) { number(zigzag(value.time_since_epoch().count())); }
  void span(Duration value) { number(zigzag(value.count())); }

  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Reads what an Encoder wrote. Total: after bytes that cannot be, all values are zero or empty and
// finish() fails.
class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : rest_(bytes) {}

  uint64_t number();
  std::string text();
  double real();
  Time time() { return Time(Duration(unzigzag(number()))); }
  Duration span() { return Duration(unzigzag(number())); }
  // How many elements follow. Each takes a byte at least, so hostile counts cannot ask for memory.
  size_t count();

  // A value was read that cannot be.
  void reject() { broken_ = true; }
  bool broken() const { return broken_; }
  // Whether this number, below 128, is the next one.
  bool begins_with(uint64_t number) const {
    return !rest_.empty() && static_cast<unsigned char>(rest_[0]) == number;
  }
  // Fails with corrupt where anything was wrong or bytes are left.
  Result<Done> finish(std::string_view about) const;

 private:
  std::string_view rest_;
  bool broken_ = false;
};

}  // namespace watchpost::store
