#include "dns/wire.h"

#include "base/ascii.h"
#include "dns/name.h"

#include <algorithm>

namespace watchpost::dns {
namespace {

constexpr uint8_t kPointer = 0xC0;
constexpr int kMostPointers = 127;  // as many as a name has labels

uint8_t lower(uint8_t byte) { return static_cast<uint8_t>(to_lower(static_cast<char>(byte))); }

}  // namespace

WireName WireName::of(std::string_view key) {
  WireName name;
  while (!key.empty()) {
    const std::string_view label = key.substr(0, key.find('.'));
    name.add({reinterpret_cast<const uint8_t*>(label.data()), label.size()});
    key.remove_prefix(std::min(key.size(), label.size() + 1));
  }
  name.end();
  return name;
}

bool WireName::add(std::span<const uint8_t> label) {
  // Room for the end as well.
  if (size_ + 1 + label.size() + 1 > bytes_.size()) return false;
  bytes_[size_++] = static_cast<uint8_t>(label.size());
  for (const uint8_t byte : label) bytes_[size_++] = lower(byte);
  return true;
}

bool WireName::end() {
  if (size_ == bytes_.size()) return false;
  bytes_[size_++] = 0;
  return true;
}

std::string WireName::text() const {
  std::string text;
  for (std::string_view rest = bytes(); !rest.empty() && rest[0] != 0;) {
    const auto size = static_cast<uint8_t>(rest[0]);
    append_label(text, rest.substr(1, size));
    rest.remove_prefix(1U + size);
  }
  return text;
}

bool WireName::is_below(const WireName& other) const {
  for (std::string_view rest = bytes(); rest.size() >= other.size_;) {
    if (rest == other.bytes()) return true;
    rest.remove_prefix(1U + static_cast<uint8_t>(rest[0]));
  }
  return false;
}

std::optional<uint8_t> WireReader::u8() {
  if (at_ >= packet_.size()) return std::nullopt;
  return packet_[at_++];
}

std::optional<uint16_t> WireReader::u16() {
  const auto two = bytes(2);
  if (!two) return std::nullopt;
  return static_cast<uint16_t>((*two)[0] << 8 | (*two)[1]);
}

std::optional<uint32_t> WireReader::u32() {
  const auto four = bytes(4);
  if (!four) return std::nullopt;
  uint32_t number = 0;
  for (const uint8_t byte : *four) number = number << 8 | byte;
  return number;
}

std::optional<std::span<const uint8_t>> WireReader::bytes(size_t count) {
  if (packet_.size() - at_ < count) {
    at_ = packet_.size();
    return std::nullopt;
  }
  const auto found = packet_.subspan(at_, count);
  at_ += count;
  return found;
}

std::optional<WireName> WireReader::name() {
  WireName name;
  size_t before = at_;           // a pointer leads to what is before
  std::optional<size_t> behind;  // the first pointer
  int pointers = 0;
  for (;;) {
    const auto size = u8();
    if (!size) return std::nullopt;
    if (*size == 0) break;
    if (*size < 64) {
      const auto label = bytes(*size);
      if (!label || !name.add(*label)) return std::nullopt;
      continue;
    }
    const auto low = u8();
    if ((*size & kPointer) != kPointer || !low) return std::nullopt;
    if (!behind) behind = at_;
    const size_t target = static_cast<size_t>(*size & ~kPointer) << 8 | *low;
    if (target >= before || ++pointers > kMostPointers) return std::nullopt;
    before = at_ = target;
  }
  if (behind) at_ = *behind;
  name.end();
  return name;
}

bool WireReader::skip_name() { return name().has_value(); }

}  // namespace watchpost::dns
