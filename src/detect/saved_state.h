#pragma once
#include "model/event.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace watchpost::detect {

// What Watch::save() writes and Watch::restore() reads begins with these.
inline constexpr std::string_view kSavedMark = "watchpost detect";
inline constexpr uint8_t kSavedVersion = 2;
inline constexpr uint8_t kSavedBeforeSketches = 1;  // still read

std::string dimensions_text(std::span<const Field> dimensions);

}  // namespace watchpost::detect
