#include "mime/utf8.h"

#include <algorithm>
#include <cstring>

namespace watchpost::mime {
namespace {

unsigned char byte_at(std::string_view text, size_t at) {
  return static_cast<unsigned char>(text[at]);
}

// How long the character is that `lead` begins; 0 where none begins with it.
size_t length_by_lead(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead < 0xC2) return 0;
  if (lead < 0xE0) return 2;
  if (lead < 0xF0) return 3;
  return lead < 0xF5 ? 4 : 0;
}

// Whether `second` may follow `lead`: this is where over-long forms, surrogates and what lies above
// U+10FFFF are seen.
bool second_fits(unsigned char lead, unsigned char second) {
  const unsigned char least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned char most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  return second >= least && second <= most;
}

}  // namespace

Utf8Step utf8_step(std::string_view text, size_t at) {
  const unsigned char lead = byte_at(text, at);
  const size_t length = length_by_lead(lead);
  if (length <= 1) return {1, length == 1};
  if (at + 1 >= text.size() || !second_fits(lead, byte_at(text, at + 1))) return {1, false};
  for (size_t i = 2; i < length; ++i) {
    if (at + i >= text.size() || (byte_at(text, at + i) & 0xC0) != 0x80) return {i, false};
  }
  return {length, true};
}

size_t ascii_prefix(std::string_view text) {
  constexpr uint64_t kHigh = 0x8080808080808080;
  size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    uint64_t eight = 0;
    std::memcpy(&eight, text.data() + at, sizeof eight);
    if ((eight & kHigh) != 0) break;
  }
  while (at < text.size() && byte_at(text, at) < 0x80) ++at;
  return at;
}

size_t valid_utf8_prefix(std::string_view text) {
  size_t at = ascii_prefix(text);
  while (at < text.size()) {
    const Utf8Step step = utf8_step(text, at);
    if (!step.valid) return at;
    at += step.length;
    if (step.length == 1) at += ascii_prefix(text.substr(at));
  }
  return at;
}

void append_utf8(std::string& text, uint32_t code) {
  const auto low_six = [](uint32_t bits) { return static_cast<char>(0x80 | (bits & 0x3F)); };
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += static_cast<char>(0xC0 | (code >> 6));
    text += low_six(code);
  } else if (code < 0x10000) {
    text += static_cast<char>(0xE0 | (code >> 12));
    text += low_six(code >> 6);
    text += low_six(code);
  } else {
    text += static_cast<char>(0xF0 | (code >> 18));
    text += low_six(code >> 12);
    text += low_six(code >> 6);
    text += low_six(code);
  }
}

void drop_cut_character(std::string& text) {
  const size_t longest = std::min<size_t>(3, text.size());
  for (size_t back = 1; back <= longest; ++back) {
    const unsigned char byte = byte_at(text, text.size() - back);
    if ((byte & 0xC0) == 0x80) continue;
    if (length_by_lead(byte) > back) text.resize(text.size() - back);
    return;
  }
}

}  // namespace watchpost::mime
