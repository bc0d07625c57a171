#pragma once
#include "base/hash.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace watchpost::feedback {

// Numbers and texts as bytes: LEB128, and texts behind their length.
class SavedBytes {
 public:
  explicit SavedBytes(std::string& out) : out_(out) {}
  void number(uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_ += static_cast<char>(value | 0x80);
    out_ += static_cast<char>(value);
  }
  void text(std::string_view value) {
    number(value.size());
    out_ += value;
  }
  void hash(const Hash128& value) {
    fixed(value.high);
    fixed(value.low);
  }

 private:
  void fixed(uint64_t value) {
    for (int shift = 0; shift < 64; shift += 8) out_ += static_cast<char>(value >> shift);
  }
  std::string& out_;
};

// Reads them back. After the first thing that is not there, all else is zero and good() is false.
class SavedReader {
 public:
  explicit SavedReader(std::string_view bytes) : rest_(bytes) {}
  bool good() const { return good_; }
  bool at_end() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }

  uint64_t number() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const std::string_view byte = take(1);
      if (byte.empty()) return 0;
      const auto bits = static_cast<unsigned char>(byte[0]);
      if (shift == 63 && bits > 1) break;
      value |= uint64_t{bits & 0x7Fu} << shift;
      if (bits < 0x80) return value;
    }
    good_ = false;
    return 0;
  }
  std::string_view text(size_t longest) {
    const uint64_t size = number();
    if (size > longest) good_ = false;
    return take(good_ ? size : 0);
  }
  Hash128 hash() {
    const uint64_t high = fixed();
    return {high, fixed()};
  }

 private:
  std::string_view take(size_t size) {
    if (!good_ || size > rest_.size()) {
      good_ = false;
      return {};
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  uint64_t fixed() {
    uint64_t value = 0;
    int shift = 0;
    for (const char byte : take(8)) {
      value |= uint64_t{static_cast<unsigned char>(byte)} << shift;
      shift += 8;
    }
    return value;
  }
  std::string_view rest_;
  bool good_ = true;
};

}  // namespace watchpost::feedback
