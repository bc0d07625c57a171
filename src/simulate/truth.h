#pragma once
#include "simulate/platform.h"

#include <string>

namespace watchpost::simulate {

// What really happened, as one JSON document: the settings, and each incident with its streams,
// times and numbers. docs/guide/simulate.md has its keys.
std::string truth_json(const Platform& platform, const PlatformSettings& settings);

}  // namespace watchpost::simulate
