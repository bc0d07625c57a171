#include "net/smtp_text.h"

#include "base/utf8.h"

#include <cstddef>

namespace watchpost::net {
namespace {

constexpr size_t kReplyTextBytes = 400;

bool is_scalar(uint32_t code) { return code < 0xD800 || (code > 0xDFFF && code <= 0x10FFFF); }

}  // namespace

bool is_utf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const size_t length = code_point_at(text, at).length;
    if (length == 0) return false;
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
