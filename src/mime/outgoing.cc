#include "mime/outgoing.h"

#include "base/text.h"

#include <algorithm>

#include <fmt/format.h>

namespace watchpost::mime {
namespace {

constexpr size_t kLongestAddress = 320;  // RFC 5321 4.5.3.1: 64 + 1 + 255
constexpr size_t kLongestSubject = 500;

// A whole character's bytes at `at`; the text is UTF-8.
size_t character_length(std::string_view text, size_t at) {
  size_t length = 1;
  while (at + length < text.size() &&
         (static_cast<unsigned char>(text[at + length]) & 0xC0) == 0x80) {
    ++length;
  }
  return length;
}

std::string hex_coded(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    out += fmt::format("={:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
  }
  return out;
}

// A character inside an encoded word (RFC 2047 4.2).
std::string q_coded(std::string_view character) {
  const char c = character.front();
  if (character == " ") return "_";
  const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return plain && character.size() == 1 ? std::string(character) : hex_coded(character);
}

// One line: at most 76 bytes, no trailing blank.
std::string quoted_printable(std::string_view line) {
  std::string out;
  size_t width = 0;
  for (size_t at = 0; at < line.size(); ++at) {
    const auto byte = static_cast<unsigned char>(line[at]);
    const bool last = at + 1 == line.size();
    const bool plain = (byte > ' ' && byte < 0x7F && byte != '=') || (byte == ' ' && !last);
    const std::string piece = plain ? std::string(1, line[at]) : hex_coded(line.substr(at, 1));
    if (width + piece.size() > 75) {
      out += "=\r\n";
      width = 0;
    }
    // A full stop alone on a line ends the message in SMTP; relays double it, some forget.
    out += width == 0 && piece == "." ? "=2E" : piece;
    width += width == 0 && piece == "." ? 3 : piece.size();
  }
  return out + "\r\n";
}

}  // namespace

std::string subject_text(std::string_view subject) {
  // escaped() has taken out all that could end the line.
  std::string safe = escaped(subject, kLongestSubject);
  const bool ascii = std::ranges::all_of(safe, [](char c) { return c >= ' ' && c < 0x7F; });
  if (ascii && safe.size() <= 900 && safe.find("=?") == std::string::npos) return safe;
  constexpr size_t kInOneWord = 55;
  std::string out;
  std::string word;
  for (size_t at = 0; at < safe.size();) {
    const size_t length = character_length(safe, at);
    const std::string piece = q_coded(std::string_view(safe).substr(at, length));
    if (word.size() + piece.size() > kInOneWord) {
      out += fmt::format("=?UTF-8?Q?{}?=\r\n ", word);
      word.clear();
    }
    word += piece;
    at += length;
  }
  return out + fmt::format("=?UTF-8?Q?{}?=", word);
}

std::string quoted_printable_body(std::string_view text) {
  std::string out;
  for (const std::string_view line : split(text, '\n')) out += quoted_printable(escaped(line));
  return out;
}

bool is_plain_address(std::string_view address) {
  const bool plain = std::ranges::all_of(address, [](char c) {
    return c > ' ' && c < 0x7F && std::string_view("<>()[]:;,\\\"").find(c) == std::string::npos;
  });
  const auto at = address.find('@');
  return plain && at != 0 && at != std::string::npos && at + 1 < address.size() &&
         at == address.rfind('@') && address.size() <= kLongestAddress;
}

}  // namespace watchpost::mime
