#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace watchpost::dns {

// Names as text. All functions are pure and total.

inline constexpr size_t kLongestName = 253;  // 255 octets on the wire (RFC 1035 section 2.3.4)
inline constexpr size_t kLongestLabel = 63;

// Makes `name` the key it is looked up by: lower case, no last dot. Its bytes are taken as they
// are; a backslash is one of them. False for what cannot be a name: an empty label (the root as
// well), a label of over 63 bytes, 253 in all; `name` is then of no use.
bool make_key(std::string& name);

// Puts a label of an answer behind the labels in `name`, in lower case, with a dot between. Bytes
// that would be taken for something else are written as `\.`, `\\` and `\DDD` (RFC 1035
// section 5.1, RFC 4343 section 2.1), so that names of answers are printable ASCII without blanks,
// and a dot within a label never ends one.
void append_label(std::string& name, std::string_view label);

// Whether a dot stands in none of the labels that append_label() wrote: make_key() of `name` then
// names the same thing.
inline bool can_be_asked(std::string_view name) {
  return name.find('\\') == std::string_view::npos;
}

}  // namespace watchpost::dns
