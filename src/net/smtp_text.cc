#include "net/smtp_text.h"

#include <cstddef>

namespace watchpost::net {
namespace {

constexpr size_t kReplyTextBytes = 400;

// How many bytes a character has by its first one; 0 where none begins so.
size_t length_by(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first < 0xE0) return 2;
  if (first >= 0xE0 && first < 0xF0) return 3;
  return first >= 0xF0 && first < 0xF5 ? 4 : 0;
}

bool is_scalar(uint32_t code) { return code < 0xD800 || (code > 0xDFFF && code <= 0x10FFFF); }

}  // namespace

bool is_utf8(std::string_view text) {
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  for (size_t at = 0; at < text.size();) {
    const auto first = static_cast<unsigned char>(text[at]);
    const size_t length = length_by(first);
    if (length == 0 || at + length > text.size()) return false;
    uint32_t code = length == 1 ? first : first & (0x7Fu >> length);
    for (size_t i = 1; i < length; ++i) {
      const auto next = static_cast<unsigned char>(text[at + i]);
      if ((next & 0xC0) != 0x80) return false;
      code = code << 6 | (next & 0x3F);
    }
    if (code < kLeast[length] || !is_scalar(code)) return false;
    at += length;
  }
  return true;
}

bool append_utf8(std::string& text, uint32_t code) {
  if (!is_scalar(code)) return false;
  const auto put = [&](uint32_t byte) { text += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
  return true;
}

std::string reply_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (out.size() == kReplyTextBytes) break;
    if (c >= ' ' && c < 0x7F) out += c;
  }
  return out;
}

}  // namespace watchpost::net
