#pragma once
#include "base/result.h"

#include <string>

namespace watchpost::cli {

// A new file that nobody else may read: it is somebody's mail. Fails with refused where there is
// one, with bad_input where it cannot be made.
Result<Done> write_new(const std::string& path, const std::string& bytes);

}  // namespace watchpost::cli
