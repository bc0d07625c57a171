#pragma once
#include "base/time.h"

#include <array>

namespace watchpost {
class SavedReader;
class SavedWriter;
}  // namespace watchpost

namespace watchpost::detect {

// How late complaints (or late bounces) come: which share of all that will ever come has come at a
// given age of the message. Learned from those that came; begins with what is usual for complaints
// (research: standards 3.4).
//   Merging: sums; any order. Beyond 20,000 all are halved, so that the old ones fade: from then on
//            the order counts a little.
class LagCurve {
 public:
  void saw(Duration lag);
  void merge(const LagCurve& other);
  // Between 0.05 and 1, never falling with age.
  double arrived(Duration age) const;

  void save(SavedWriter& out) const;
  void restore(SavedReader& in);

 private:
  static constexpr int kBuckets = 40;  // of age, from a minute to 14 days, in equal ratios

  void forget();

  std::array<double, kBuckets> seen_{};
  double total_ = 0;
};

}  // namespace watchpost::detect
