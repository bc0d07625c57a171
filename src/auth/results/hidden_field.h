#pragma once
#include <string_view>

namespace watchpost::auth {

// How a field is hidden from one reader and shown to another. Pure and total.

// A name with bytes that none may have, which is `wanted` to readers who pass over them.
bool is_name_in_disguise(std::string_view name, std::string_view wanted);
// Behind a carriage return alone, where some readers end a line, stands "wanted:".
bool stands_behind_bare_cr(std::string_view raw, std::string_view wanted);
// A line, its blanks at both ends aside, that is "wanted" or begins with "wanted:"; blanks and
// control bytes between the two are passed over.
bool is_field_line(std::string_view line, std::string_view wanted);

}  // namespace watchpost::auth
