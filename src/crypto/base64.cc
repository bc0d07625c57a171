#include "crypto/base64.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace watchpost::crypto {
namespace {

constexpr std::string_view kLetters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr uint8_t kBlank = 64, kPadding = 65, kOther = 66;
constexpr auto kValues = [] {
  std::array<uint8_t, 256> values{};
  values.fill(kOther);
  for (size_t i = 0; i < kLetters.size(); ++i) {
    values[static_cast<uint8_t>(kLetters[i])] = static_cast<uint8_t>(i);
  }
  for (const char c : {' ', '\t', '\r', '\n'}) values[static_cast<uint8_t>(c)] = kBlank;
  values['='] = kPadding;
  return values;
}();

// Whole groups of four letters, as long as nothing else stands between them. Gives the place behind
// the last of them.
size_t take_groups(std::string_view text, size_t at, std::string& bytes, size_t& letters) {
  const auto value = [&](size_t place) {
    return uint32_t{kValues[static_cast<uint8_t>(text[place])]};
  };
  for (; at + 4 <= text.size(); at += 4) {
    const uint32_t a = value(at), b = value(at + 1), c = value(at + 2), d = value(at + 3);
    if ((a | b | c | d) >= kBlank) break;
    const uint32_t group = a << 18 | b << 12 | c << 6 | d;
    const std::array<char, 3> made{static_cast<char>(group >> 16 & 0xFF),
                                   static_cast<char>(group >> 8 & 0xFF),
                                   static_cast<char>(group & 0xFF)};
    bytes.append(made.data(), made.size());
    letters += 4;
  }
  return at;
}

}  // namespace

std::string base64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t at = 0; at < bytes.size(); at += 3) {
    uint32_t group = 0;
    for (size_t i = 0; i < 3; ++i) {
      group = group << 8 | (at + i < bytes.size() ? static_cast<uint8_t>(bytes[at + i]) : 0U);
    }
    const size_t letters = bytes.size() - at == 1 ? 2 : bytes.size() - at == 2 ? 3 : 4;
    for (size_t i = 0; i < 4; ++i) {
      text += i < letters ? kLetters[group >> (18 - 6 * i) & 63] : '=';
    }
  }
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3 + 2);
  uint32_t group = 0;
  size_t letters = 0, padding = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    if (letters % 4 == 0 && padding == 0) at = take_groups(text, at, bytes, letters);
    if (at == text.size()) break;
    const char c = text[at];
    const uint8_t value = kValues[static_cast<uint8_t>(c)];
    if (value == kBlank) continue;
    if (value == kPadding) {
      if (++padding > 2) return std::nullopt;
      continue;
    }
    if (value == kOther || padding > 0) return std::nullopt;
    group = group << 6 | value;
    if (++letters % 4 != 0) continue;
    bytes += static_cast<char>(group >> 16 & 0xFF);
    bytes += static_cast<char>(group >> 8 & 0xFF);
    bytes += static_cast<char>(group & 0xFF);
    group = 0;
  }
  const size_t rest = letters % 4;
  if (rest == 1 || (padding > 0 && (rest == 0 || padding > 4 - rest))) return std::nullopt;
  if (rest >= 2) bytes += static_cast<char>(group >> (rest == 2 ? 4 : 10) & 0xFF);
  if (rest == 3) bytes += static_cast<char>(group >> 2 & 0xFF);
  return bytes;
}

}  // namespace watchpost::crypto
