#pragma once
#include "base/time.h"

#include <optional>
#include <string_view>

namespace watchpost::ingest {

// When a message came, of the line that begins it in an mbox: "From kim@example.com Tue Nov 24
// 03:00:01 2026" (RFC 4155: UTC). Nothing where it does not say so. Total.
std::optional<Time> postmark_time(std::string_view line);

}  // namespace watchpost::ingest
