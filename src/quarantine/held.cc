#include "quarantine/held.h"

#include <algorithm>
#include <array>

namespace watchpost::quarantine {
namespace {

constexpr std::array<std::string_view, 6> kNames{"held",     "due",       "leaving",
                                                 "released", "discarded", "expired"};

}  // namespace

std::string_view name_of(CopyState state) { return kNames[static_cast<size_t>(state)]; }

std::optional<CopyState> copy_state_from(std::string_view name) {
  const auto* const found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<CopyState>(found - kNames.begin());
}

}  // namespace watchpost::quarantine
