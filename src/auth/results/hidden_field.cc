#include "auth/results/hidden_field.h"

#include "base/ascii.h"

#include <algorithm>
#include <string>

namespace watchpost::auth {
namespace {

bool is_graphic(char c) { return c > ' ' && c < 0x7F; }

std::string_view without_leading_odd(std::string_view text) {
  while (!text.empty() && !is_graphic(text.front()) && text.front() != '\r') text.remove_prefix(1);
  return text;
}

}  // namespace

bool is_name_in_disguise(std::string_view name, std::string_view wanted) {
  if (name.size() <= wanted.size() || std::ranges::all_of(name, is_graphic)) return false;
  std::string left(name);
  std::erase_if(left, [](char c) { return !is_graphic(c); });
  return equal_nocase(left, wanted);
}

bool is_field_line(std::string_view line, std::string_view wanted) {
  line = without_leading_odd(line);
  if (!starts_with_nocase(line, wanted)) return false;
  line = without_leading_odd(line.substr(wanted.size()));
  return line.empty() || line.front() == ':' || line.front() == '\r';
}

bool stands_behind_bare_cr(std::string_view raw, std::string_view wanted) {
  for (size_t at = raw.find('\r'); at != std::string_view::npos; at = raw.find('\r', at + 1)) {
    const std::string_view rest = raw.substr(at + 1);
    if (!rest.starts_with('\n') && is_field_line(rest, wanted)) return true;
  }
  return false;
}

}  // namespace watchpost::auth
