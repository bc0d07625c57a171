#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace watchpost::crypto {

// RFC 4648 section 4, with padding.
std::string base64(std::string_view bytes);
// Blanks, tabs and line ends are skipped wherever they stand; missing padding is no fault. Nothing
// where there is any other byte, or a length that no encoding has.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace watchpost::crypto
