#pragma once
#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace watchpost {

// Of one byte. Pure and total, as all of this file: bytes beyond ASCII are no letters.

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

// Letters in either case.
inline bool equal_nocase(std::string_view left, std::string_view right) {
  if (left.size() != right.size()) return false;
  for (size_t i = 0; i < left.size(); ++i) {
    if (left[i] != right[i] && to_lower(left[i]) != to_lower(right[i])) return false;
  }
  return true;
}
inline bool starts_with_nocase(std::string_view text, std::string_view prefix) {
  return equal_nocase(text.substr(0, prefix.size()), prefix);
}

// Questions about all bytes of a text, asked of eight at a time.

namespace lanes {

inline constexpr uint64_t kOnes = 0x0101010101010101;
inline constexpr uint64_t kHighs = 0x8080808080808080;

constexpr uint64_t each(char c) { return kOnes * static_cast<uint8_t>(c); }

// The high bit of each byte that is an upper case letter.
constexpr uint64_t upper(uint64_t word) {
  const uint64_t low = word & ~kHighs;
  const uint64_t from_a = low + kOnes * (0x80 - 'A');
  const uint64_t behind_z = low + kOnes * (0x7F - 'Z');
  return (from_a ^ behind_z) & ~word & kHighs;
}

// The same with small letters instead.
constexpr uint64_t lower(uint64_t word) { return word | (upper(word) >> 2); }

// The high bit of each byte that is 0, and perhaps of some behind the first of them.
constexpr uint64_t zero(uint64_t word) { return (word - kOnes) & ~word & kHighs; }

// Not 0 where a byte is not one of ' ' to '~'.
constexpr uint64_t unprintable(uint64_t word) {
  return (((word - each(' ')) & ~word) | (word + kOnes) | word) & kHighs;
}

// Whether `found` is anything but 0 for one of the words that cover the text; what is shorter than
// a word is filled up with the letter `filler`.
template <class Found>
bool any(std::string_view text, char filler, const Found& found) {
  const auto word_at = [&](size_t at, size_t size) {
    uint64_t word = each(filler);
    std::memcpy(&word, text.data() + at, size);
    return word;
  };
  constexpr size_t kWord = sizeof(uint64_t);
  if (text.size() < kWord) return text.empty() ? false : found(word_at(0, text.size())) != 0;
  uint64_t all = found(word_at(text.size() - kWord, kWord));
  for (size_t at = 0; at + kWord < text.size(); at += kWord) all |= found(word_at(at, kWord));
  return all != 0;
}

}  // namespace lanes

// Where the first of the wanted letters stands, from `at` on; the text's size where there is none.
template <char... kWanted>
size_t find_any(std::string_view text, size_t at = 0) {
  if constexpr (std::endian::native == std::endian::little) {
    for (; at + sizeof(uint64_t) <= text.size(); at += sizeof(uint64_t)) {
      uint64_t word = 0;
      std::memcpy(&word, text.data() + at, sizeof word);
      const uint64_t found = (lanes::zero(word ^ lanes::each(kWanted)) | ...);
      if (found != 0) return at + static_cast<size_t>(std::countr_zero(found)) / 8;
    }
  }
  while (at < text.size() && ((text[at] != kWanted) && ...)) ++at;
  return std::min(at, text.size());
}

// Has one of 'A' to 'Z'.
inline bool has_upper(std::string_view text) { return lanes::any(text, 'a', lanes::upper); }
// Has nothing but ' ' to '~'.
inline bool is_printable(std::string_view text) {
  return !lanes::any(text, 'a', lanes::unprintable);
}

}  // namespace watchpost
