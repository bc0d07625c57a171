#pragma once
#include "border/inbound/judge.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace watchpost::border {

inline constexpr size_t kLargestVerdict = size_t{256} << 10;

// A verdict as it is kept: docs/formats/verdict.md. One JSON object of at most kLargestVerdict
// bytes, valid UTF-8 whatever the message holds: long texts are cut, and where it is still too long
// first the DNS answers are left out. Pure, total.
std::string verdict_json(std::string_view milter, Mode mode, const Judged& judged);

}  // namespace watchpost::border
