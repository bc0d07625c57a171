#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace watchpost::dns {

// A name as in a message, without compression and in lower case: labels with their lengths before
// them, the last one empty.
class WireName {
 public:
  // Of a name that make_key() made.
  static WireName of(std::string_view key);

  // False where it would grow over 255 bytes.
  bool add(std::span<const uint8_t> label);
  bool end();

  // "example.com" as append_label() writes it; "" of the root.
  std::string text() const;
  std::string_view bytes() const { return {reinterpret_cast<const char*>(bytes_.data()), size_}; }
  // The name itself, or one above it.
  bool is_below(const WireName& other) const;
  bool operator==(const WireName& other) const { return bytes() == other.bytes(); }

 private:
  std::array<uint8_t, 255> bytes_;  // set up to size_
  size_t size_ = 0;
};

// Reads a message from front to back. From the first number on that is not all there, there is
// nothing more to read.
class WireReader {
 public:
  explicit WireReader(std::span<const uint8_t> packet, size_t at = 0) : packet_(packet), at_(at) {}

  size_t at() const { return at_; }
  std::optional<uint8_t> u8();
  std::optional<uint16_t> u16();
  std::optional<uint32_t> u32();
  std::optional<std::span<const uint8_t>> bytes(size_t count);
  // RFC 1035 section 4.1.4. A pointer leads only to what stands before the labels that it ends, so
  // that there are no loops.
  std::optional<WireName> name();
  bool skip_name();

 private:
  std::span<const uint8_t> packet_;
  size_t at_;
};

}  // namespace watchpost::dns
