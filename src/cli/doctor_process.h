#pragma once
#include "base/result.h"
#include "base/time.h"

#include <cstddef>
#include <string>
#include <vector>

namespace watchpost::cli {

// Runs a program without a shell and gives what it says on standard output, at most `most` bytes;
// its standard error is joined to it. Nothing stands on its standard input.
//   Fails: not_found where it cannot be started; timed_out, and it is killed; exhausted where it
//          says more; refused where it ends with another code than 0, with its first line.
Result<std::string> output_of(const std::vector<std::string>& command, Duration deadline,
                              size_t most = 1 << 20);

}  // namespace watchpost::cli
