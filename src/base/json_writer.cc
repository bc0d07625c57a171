#include "base/json_writer.h"

#include <array>
#include <cmath>

namespace watchpost {
namespace {

// What stands for a byte: 0 itself, 'u' its number, another letter that one behind a backslash.
constexpr std::array<char, 256> kEscapes = [] {
  std::array<char, 256> escapes{};
  for (size_t byte = 0; byte < 0x20; ++byte) escapes[byte] = 'u';
  escapes['\b'] = 'b';
  escapes['\f'] = 'f';
  escapes['\n'] = 'n';
  escapes['\r'] = 'r';
  escapes['\t'] = 't';
  escapes['"'] = '"';
  escapes['\\'] = '\\';
  return escapes;
}();

char escape_of(char c) { return kEscapes[static_cast<unsigned char>(c)]; }

void append_escape(std::string& text, char c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const char escape = escape_of(c);
  text += '\\';
  text += escape;
  if (escape != 'u') return;
  const auto byte = static_cast<unsigned char>(c);
  text += "00";
  text += kDigits[byte >> 4];
  text += kDigits[byte & 0xF];
}

}  // namespace

void JsonWriter::value(std::string_view utf8) {
  separate();
  text_ += '"';
  size_t written = 0;
  for (size_t at = 0; at < utf8.size(); ++at) {
    if (escape_of(utf8[at]) == 0) continue;
    text_ += utf8.substr(written, at - written);
    append_escape(text_, utf8[at]);
    written = at + 1;
  }
  text_ += utf8.substr(written);
  text_ += '"';
}

void JsonWriter::value(bool is) {
  separate();
  text_ += is ? "true" : "false";
}

void JsonWriter::value(double number) {
  if (!std::isfinite(number)) return null();
  separate();
  char digits[32];
  text_.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

void JsonWriter::null() {
  separate();
  text_ += "null";
}

}  // namespace watchpost
