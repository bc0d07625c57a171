#pragma once
#include "detect/memory.h"
#include "detect/sketch_plan.h"
#include "detect/sketches/lag_curve.h"

#include <array>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace watchpost::detect {

// How late complaints and bounces come: of all receivers, and of each provider by itself.
//   Owns: the curves of the first so many providers that are met; those of others are the common
//         one. Counted in `memory`.
class LagCurves {
 public:
  explicit LagCurves(Memory& memory) : memory_(memory) {}
  LagCurves(const LagCurves&) = delete;
  LagCurves& operator=(const LagCurves&) = delete;
  ~LagCurves();

  // `provider` may be empty: not known.
  void saw(Direction direction, LagKind kind, std::string_view provider, Duration lag);
  void merge(const LagCurves& other);
  // The share of all that will come that has come at this age; `provider` empty: wherever.
  double arrived(Direction direction, LagKind kind, std::string_view provider, Duration age) const;

  void save(SavedWriter& out) const;
  void restore(SavedReader& in);

 private:
  static constexpr size_t kMostProviders = 256;
  using Set = std::array<std::array<LagCurve, kLagKinds>, 2>;  // by direction and kind

  Set* of(std::string_view provider);

  Memory& memory_;
  Set all_{};
  std::map<std::string, Set, std::less<>> by_provider_;
};

}  // namespace watchpost::detect
