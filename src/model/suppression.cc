#include "model/suppression.h"

#include "base/ascii.h"

#include <algorithm>
#include <array>

namespace watchpost {
namespace {

constexpr std::array<std::string_view, 5> kReasons{"hard_bounce", "complaint", "unsubscribe",
                                                   "by_hand", "imported"};
constexpr size_t kLongestAddress = 320;

bool may_stand_in_address(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > ' ' && byte != 0x7F && c != '<' && c != '>' && c != ',';
}

}  // namespace

std::string_view name_of(SuppressionReason reason) { return kReasons[static_cast<size_t>(reason)]; }

std::optional<SuppressionReason> suppression_reason_from(std::string_view name) {
  const auto found = std::ranges::find(kReasons, name);
  if (found == kReasons.end()) return std::nullopt;
  return static_cast<SuppressionReason>(found - kReasons.begin());
}

std::string suppression_key(std::string_view address) {
  if (address.starts_with('<') && address.ends_with('>') && address.size() > 2) {
    address = address.substr(1, address.size() - 2);
  }
  if (address.ends_with('.')) address.remove_suffix(1);
  const size_t at = address.rfind('@');
  if (at == std::string_view::npos || at == 0 || at + 1 == address.size()) return {};
  if (address.size() > kLongestAddress) return {};
  if (!std::ranges::all_of(address, may_stand_in_address)) return {};
  std::string made(address);
  std::ranges::transform(made, made.begin(), to_lower);
  return made;
}

}  // namespace watchpost
