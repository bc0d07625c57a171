#include "enforce/enforcer.h"
#include "enforce/enforcers/postfix_access.h"
#include "enforce/enforcers/postfix_policy.h"
#include "enforce/enforcers/suppression_webhook.h"
#include "enforce/enforcers/webhook.h"

#include <algorithm>
#include <array>

namespace watchpost::enforce {
namespace {

constexpr std::array<const EnforcerKind*, 4> kKinds{
    &kPostfixPolicy,
    &kWebhook,
    &kPostfixAccess,
    &kSuppressionWebhook,
};

}  // namespace

std::span<const EnforcerKind* const> enforcer_kinds() { return kKinds; }

const EnforcerKind* enforcer_kind(std::string_view name) {
  const auto found = std::ranges::find(kKinds, name, &EnforcerKind::name);
  return found != kKinds.end() ? *found : nullptr;
}

}  // namespace watchpost::enforce
