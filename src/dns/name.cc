#include "dns/name.h"

#include "base/ascii.h"

#include <fmt/format.h>

namespace watchpost::dns {

bool make_key(std::string& name) {
  if (name.ends_with('.')) name.pop_back();
  if (name.empty() || name.size() > kLongestName) return false;
  size_t label = 0;
  for (char& c : name) {
    if (c == '.') {
      if (label == 0 || label > kLongestLabel) return false;
      label = 0;
      continue;
    }
    c = to_lower(c);
    ++label;
  }
  return label > 0 && label <= kLongestLabel;
}

void append_label(std::string& name, std::string_view label) {
  if (!name.empty()) name += '.';
  for (const char c : label) {
    if (c == '.' || c == '\\') {
      name += '\\';
      name += c;
    } else if (c <= ' ' || c > '~') {
      fmt::format_to(std::back_inserter(name), "\\{:03}", static_cast<unsigned char>(c));
    } else {
      name += to_lower(c);
    }
  }
}

}  // namespace watchpost::dns
