#include "border/plan.h"

#include <algorithm>
#include <unordered_set>

namespace watchpost::border {
namespace {

bool is_kept(Disposition done) { return done >= Disposition::quarantine; }

}  // namespace

Plan plan_of(std::span<const Share> shares, bool may_keep) {
  if (shares.empty()) return {};
  const auto any = [&](Disposition done) {
    return std::ranges::find(shares, done, &Share::done) != shares.end();
  };
  if (!may_keep && any(Disposition::quarantine)) return {.whole = Disposition::tempfail};
  const Disposition first = shares.front().done;
  if (std::ranges::all_of(shares, [&](const Share& one) { return one.done == first; })) {
    return {.whole = first};
  }
  if (any(Disposition::tempfail)) return {.whole = Disposition::tempfail};
  if (!may_keep && any(Disposition::reject)) return {.whole = Disposition::reject};
  if (std::ranges::all_of(shares, is_kept, &Share::done)) {
    return {.whole = Disposition::quarantine};
  }
  Plan plan;
  std::unordered_set<std::string_view> kept;
  for (const Share& one : shares) {
    if (!is_kept(one.done)) {
      plan.whole = std::max(plan.whole, one.done);
    } else if (kept.insert(one.recipient).second) {
      plan.kept.emplace_back(one.recipient);
    }
  }
  return plan;
}

}  // namespace watchpost::border
