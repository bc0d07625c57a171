#pragma once
#include "base/result.h"

#include <string>

namespace watchpost::cli {

// All bytes of a file with a message; "-" is standard input. Errors: not_found, bad_input.
Result<std::string> message_bytes(const std::string& path);

}  // namespace watchpost::cli
