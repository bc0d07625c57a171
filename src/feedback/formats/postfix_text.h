#pragma once
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <system_error>

namespace watchpost::feedback {

// Small steps of reading that several readers of Postfix lines share. Pure and total.

// Inlined, so that a literal is compared in a few instructions and without a call.
[[gnu::always_inline]] inline bool begins_with(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() &&
         std::memcmp(text.data(), prefix.data(), prefix.size()) == 0;
}

[[gnu::always_inline]] inline bool same(std::string_view text, std::string_view word) {
  return text.size() == word.size() && std::memcmp(text.data(), word.data(), word.size()) == 0;
}

// Takes `prefix` off the front of `text` where it is there.
[[gnu::always_inline]] inline bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!begins_with(text, prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// Where a quoted local part that begins at `at` ends; `at` itself where there is none (or no end).
inline size_t behind_quoted(std::string_view text, size_t at) {
  if (at >= text.size() || text[at] != '"') return at;
  for (size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return at;
}

// Decimal digits off the front; what does not fit is cut at 18 digits.
inline uint64_t take_number(std::string_view& text) {
  uint64_t value = 0;
  size_t end = 0;
  for (; end < text.size() && text[end] >= '0' && text[end] <= '9'; ++end) {
    if (end < 18) value = value * 10 + static_cast<uint64_t>(text[end] - '0');
  }
  text.remove_prefix(end);
  return value;
}

// "0.52", "11", "1.4e+05" (Postfix writes long delays so).
inline double to_seconds(std::string_view text) {
  double value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  return read.ec == std::errc() && value >= 0 && value < 1e9 ? value : 0;
}

}  // namespace watchpost::feedback
