// Packed: twice the length, plus 1 where three characters are in two bytes, in one byte below 128,
// else in two, low seven bits first; the characters.
#include "detect/packed_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace watchpost::detect {
namespace {

constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789.-_@";
constexpr uint32_t kBase = 40;
static_assert(kAlphabet.size() == kBase && kBase * kBase * kBase <= 65536);
constexpr uint8_t kOther = 0xFF;

constexpr std::array<uint8_t, 256> kDigits = [] {
  std::array<uint8_t, 256> digits{};
  digits.fill(kOther);
  for (size_t i = 0; i < kAlphabet.size(); ++i) {
    digits[static_cast<uint8_t>(kAlphabet[i])] = static_cast<uint8_t>(i);
  }
  return digits;
}();

uint32_t digit_of(char c) { return kDigits[static_cast<uint8_t>(c)]; }

bool packs(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return digit_of(c) != kOther; });
}

}  // namespace

size_t packed_size(std::string_view text) {
  const size_t head = text.size() < 64 ? 1 : 2;
  return head + (packs(text) ? text.size() / 3 * 2 + text.size() % 3 : text.size());
}

size_t packed_bytes(const std::byte* from) {
  auto head = static_cast<size_t>(from[0]);
  size_t bytes = 1;
  if (head >= 128) {
    head = (head & 127) | static_cast<size_t>(from[1]) << 7;
    bytes = 2;
  }
  const size_t size = head / 2;
  return bytes + (head % 2 == 0 ? size : size / 3 * 2 + size % 3);
}

std::byte* pack(std::string_view text, std::byte* to) {
  const bool packed = packs(text);
  const size_t head = text.size() * 2 + (packed ? 1 : 0);
  if (head < 128) {
    *to++ = static_cast<std::byte>(head);
  } else {
    *to++ = static_cast<std::byte>((head & 127) | 128);
    *to++ = static_cast<std::byte>(head >> 7);
  }
  if (!packed) {
    std::memcpy(to, text.data(), text.size());
    return to + text.size();
  }
  for (; text.size() >= 3; text.remove_prefix(3)) {
    const uint32_t three =
        (digit_of(text[0]) * kBase + digit_of(text[1])) * kBase + digit_of(text[2]);
    *to++ = static_cast<std::byte>(three & 255);
    *to++ = static_cast<std::byte>(three >> 8);
  }
  for (const char c : text) *to++ = static_cast<std::byte>(digit_of(c));
  return to;
}

std::string_view unpack(const std::byte*& from, char*& room) {
  auto head = static_cast<size_t>(*from++);
  if (head >= 128) head = (head & 127) | static_cast<size_t>(*from++) << 7;
  const size_t size = head / 2;
  if (head % 2 == 0) {
    const std::string_view text(reinterpret_cast<const char*>(from), size);
    from += size;
    return text;
  }
  const char* const begin = room;
  for (size_t left = size; left >= 3; left -= 3) {
    const uint32_t three = static_cast<uint32_t>(from[0]) | static_cast<uint32_t>(from[1]) << 8;
    from += 2;
    *room++ = kAlphabet[three / (kBase * kBase) % kBase];
    *room++ = kAlphabet[three / kBase % kBase];
    *room++ = kAlphabet[three % kBase];
  }
  for (size_t left = size % 3; left > 0; --left) {
    *room++ = kAlphabet[static_cast<size_t>(*from++) % kBase];
  }
  return {begin, size};
}

}  // namespace watchpost::detect
