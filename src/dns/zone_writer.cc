#include "dns/zone_writer.h"

#include <cstddef>

#include <fmt/format.h>

namespace watchpost::dns {
namespace {

constexpr size_t kLongestString = 255;  // bytes of a <character-string>

std::string quoted(std::string_view bytes) {
  std::string made = "\"";
  for (const char c : bytes) {
    if (c == '"' || c == '\\') {
      made += '\\';
      made += c;
    } else if (c >= ' ' && c <= '~') {
      made += c;
    } else {
      made += fmt::format("\\{:03}", static_cast<unsigned char>(c));
    }
  }
  return made + '"';
}

}  // namespace

std::string txt_entry(std::string_view owner, std::string_view text) {
  const bool has_dot = owner.ends_with('.');
  std::string made = fmt::format("{}{} IN TXT", owner, has_dot ? "" : ".");
  if (text.size() <= kLongestString) return fmt::format("{} {}\n", made, quoted(text));
  made += " (";
  for (size_t at = 0; at < text.size(); at += kLongestString) {
    made += fmt::format("\n  {}", quoted(text.substr(at, kLongestString)));
  }
  return made + " )\n";
}

}  // namespace watchpost::dns
