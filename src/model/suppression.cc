#include "model/suppression.h"

#include "model/mail_address.h"

#include <algorithm>
#include <array>

namespace watchpost {
namespace {

constexpr std::array<std::string_view, 5> kReasons{"hard_bounce", "complaint", "unsubscribe",
                                                   "by_hand", "imported"};

}  // namespace

std::string_view name_of(SuppressionReason reason) { return kReasons[static_cast<size_t>(reason)]; }

std::optional<SuppressionReason> suppression_reason_from(std::string_view name) {
  const auto found = std::ranges::find(kReasons, name);
  if (found == kReasons.end()) return std::nullopt;
  return static_cast<SuppressionReason>(found - kReasons.begin());
}

std::string suppression_key(std::string_view address) { return mail_address_key(address); }

}  // namespace watchpost
