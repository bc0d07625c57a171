#include "detect/lag_curves.h"

#include "base/saved_bytes.h"

namespace watchpost::detect {
namespace {

constexpr size_t kLongestProvider = 255;

template <class Set>
auto& curve_of(Set& set, Direction direction, LagKind kind) {
  return set[static_cast<size_t>(direction)][static_cast<size_t>(kind)];
}

}  // namespace

LagCurves::~LagCurves() {
  memory_.subtract(by_provider_.size() * (sizeof(Set) + kLongestProvider));
}

LagCurves::Set* LagCurves::of(std::string_view provider) {
  const auto found = by_provider_.find(provider);
  if (found != by_provider_.end()) return &found->second;
  if (by_provider_.size() == kMostProviders || provider.size() > kLongestProvider) return nullptr;
  memory_.add(sizeof(Set) + kLongestProvider);
  return &by_provider_.try_emplace(std::string(provider)).first->second;
}

void LagCurves::saw(Direction direction, LagKind kind, std::string_view provider, Duration lag) {
  curve_of(all_, direction, kind).saw(lag);
  if (provider.empty()) return;
  if (Set* const set = of(provider)) curve_of(*set, direction, kind).saw(lag);
}

void LagCurves::merge(const LagCurves& other) {
  const auto merge_set = [](Set& to, const Set& from) {
    for (size_t direction = 0; direction < to.size(); ++direction) {
      for (size_t kind = 0; kind < kLagKinds; ++kind) {
        to[direction][kind].merge(from[direction][kind]);
      }
    }
  };
  merge_set(all_, other.all_);
  for (const auto& [provider, set] : other.by_provider_) {
    if (Set* const own = of(provider)) merge_set(*own, set);
  }
}

double LagCurves::arrived(Direction direction, LagKind kind, std::string_view provider,
                          Duration age) const {
  const auto found = by_provider_.find(provider);
  return curve_of(found == by_provider_.end() ? all_ : found->second, direction, kind).arrived(age);
}

void LagCurves::save(SavedWriter& out) const {
  const auto save_set = [&](const Set& set) {
    for (const auto& kinds : set) {
      for (const LagCurve& curve : kinds) curve.save(out);
    }
  };
  save_set(all_);
  out.number(static_cast<uint32_t>(by_provider_.size()));
  for (const auto& [provider, set] : by_provider_) {
    out.text(provider);
    save_set(set);
  }
}

void LagCurves::restore(SavedReader& in) {
  const auto restore_set = [&](Set& set) {
    for (auto& kinds : set) {
      for (LagCurve& curve : kinds) curve.restore(in);
    }
  };
  restore_set(all_);
  const auto providers = in.number<uint32_t>();
  in.require(providers <= kMostProviders);
  for (uint32_t i = 0; i < providers && !in.bad(); ++i) {
    const std::string_view provider = in.text();
    in.require(!provider.empty() && provider.size() <= kLongestProvider &&
               by_provider_.find(provider) == by_provider_.end());
    if (in.bad()) return;
    restore_set(*of(provider));
  }
}

}  // namespace watchpost::detect
