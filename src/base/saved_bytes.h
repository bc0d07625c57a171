#pragma once
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace watchpost {

static_assert(std::endian::native == std::endian::little, "saved numbers are little-endian");

// Numbers and texts one after the other.
class SavedWriter {
 public:
  template <class Number>
  void number(Number value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  template <class Size = uint32_t>  // which must hold the length
  void text(std::string_view text) {
    number(static_cast<Size>(text.size()));
    bytes_ += text;
  }
  std::string& bytes() { return bytes_; }

 private:
  std::string bytes_;
};

// Reads what SavedWriter wrote. Past the end, or once told that something is wrong, all reads give
// zeros and empty texts: one look at bad() at the end of a loop's round is enough.
class SavedReader {
 public:
  explicit SavedReader(std::string_view bytes) : rest_(bytes) {}

  template <class Number>
  Number number() {
    Number value{};
    if (rest_.size() < sizeof value) return spoil(), value;
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return value;
  }
  template <class Size = uint32_t>
  std::string_view text() {
    const auto size = number<Size>();
    if (rest_.size() < size) return spoil(), std::string_view();
    const std::string_view text = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return text;
  }
  void require(bool so) {
    if (!so) spoil();
  }
  bool bad() const { return bad_; }
  bool at_end() const { return rest_.empty(); }

 private:
  void spoil() {
    bad_ = true;
    rest_ = {};
  }
  std::string_view rest_;
  bool bad_ = false;
};

}  // namespace watchpost
