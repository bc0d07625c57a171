#pragma once
#include <string>

namespace watchpost {

// What this machine calls itself; "localhost" where it has no name.
std::string host_name();

}  // namespace watchpost
