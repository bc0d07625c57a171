#include "base/text.h"

#include "base/utf8.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <numeric>

#include <fmt/format.h>

namespace watchpost {
namespace {

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool is_deceptive(uint32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x061C ||
         (code >= 0x200B && code <= 0x200F) || (code >= 0x2028 && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF;
}

// Changed, missing, added and swapped neighbouring letters, each as one.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    before_last.swap(last);
    last.swap(row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replace = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replace});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row[b.size()];
}

}  // namespace

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::string lower_ascii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return lower;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (size_t at = 0;;) {
    const size_t end = text.find(separator, at);
    if (end == std::string_view::npos) {
      parts.push_back(text.substr(at));
      return parts;
    }
    parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> found;
  for (size_t at = 0; at < text.size();) {
    while (at < text.size() && is_space(text[at])) ++at;
    const size_t first = at;
    while (at < text.size() && !is_space(text[at])) ++at;
    if (at > first) found.push_back(text.substr(first, at - first));
  }
  return found;
}

std::string escaped(std::string_view hostile) {
  std::string safe;
  safe.reserve(hostile.size());
  for (size_t at = 0; at < hostile.size();) {
    const CodePoint point = code_point_at(hostile, at);
    if (point.length == 0) {
      safe += fmt::format("\\x{:02x}", static_cast<unsigned char>(hostile[at]));
      ++at;
      continue;
    }
    if (!is_deceptive(point.value)) {
      safe += hostile.substr(at, point.length);
    } else if (point.value < 0x80) {
      safe += fmt::format("\\x{:02x}", point.value);
    } else {
      safe += fmt::format("\\u{{{:04x}}}", point.value);
    }
    at += point.length;
  }
  return safe;
}

std::string escaped(std::string_view hostile, size_t most) {
  if (hostile.size() <= most) return escaped(hostile);
  size_t cut = most;
  // Do not cut inside a character.
  while (cut > 0 && (static_cast<unsigned char>(hostile[cut]) & 0xC0) == 0x80) --cut;
  return escaped(hostile.substr(0, cut)) + "…";
}

std::string hex(std::span<const unsigned char> bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const unsigned char byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates) {
  constexpr size_t kLongest = 64;  // no known word is longer, and the distance is quadratic
  if (word.size() > kLongest) return std::nullopt;
  std::optional<std::string_view> best;
  size_t best_distance = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    const size_t distance = edit_distance(lower_ascii(word), lower_ascii(candidate));
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string suggestion(std::string_view word, std::span<const std::string_view> candidates) {
  const auto near = nearest(word, candidates);
  return near ? fmt::format("; did you mean `{}`?", *near) : std::string();
}

std::string_view domain_of(std::string_view address) {
  if (address.empty()) return {};
  // The C library looks at many bytes at once, where rfind() takes one after the other.
  const void* const found = ::memrchr(address.data(), '@', address.size());
  if (found == nullptr) return {};
  const auto at = static_cast<size_t>(static_cast<const char*>(found) - address.data());
  return address.substr(at + 1);
}

}  // namespace watchpost
