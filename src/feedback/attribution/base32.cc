#include "feedback/attribution/base32.h"

#include "base/ascii.h"

#include <cstdint>

namespace watchpost::feedback {

std::string to_base32(std::string_view bytes) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz234567";
  std::string text;
  text.reserve(bytes.size() * 8 / 5 + 1);
  uint32_t bits = 0;
  uint32_t waiting = 0;
  for (const char c : bytes) {
    bits = (bits << 8) | static_cast<uint8_t>(c);
    for (waiting += 8; waiting >= 5; waiting -= 5) {
      text += kLetters[(bits >> (waiting - 5)) & 31];
    }
  }
  if (waiting > 0) text += kLetters[(bits << (5 - waiting)) & 31];
  return text;
}

std::optional<std::string> from_base32(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size() * 5 / 8);
  uint32_t bits = 0;
  uint32_t waiting = 0;
  for (const char c : text) {
    if (!is_base32(c)) return std::nullopt;
    const char small = to_lower(c);
    bits = (bits << 5) | static_cast<uint32_t>(small >= 'a' ? small - 'a' : small - '2' + 26);
    waiting += 5;
    if (waiting < 8) continue;
    waiting -= 8;
    bytes += static_cast<char>((bits >> waiting) & 255);
  }
  if (waiting >= 5 || (bits & ((1U << waiting) - 1)) != 0) return std::nullopt;
  return bytes;
}

}  // namespace watchpost::feedback
