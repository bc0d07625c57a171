#pragma once
#include "mime/message.h"

#include <span>
#include <string_view>

namespace watchpost::mime {

// Finds NUL bytes and carriage returns that end no line, outside of the headers, which report their
// own. `parts` in the order of the message.
void find_odd_bytes(std::string_view message, std::span<const Part> parts, Findings& findings);

}  // namespace watchpost::mime
