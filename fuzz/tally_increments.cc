// Increments::read() of bytes from anywhere. The checksums and the name of the rules are put right,
// so that what lies behind them is reached: whatever is accepted must be the same when written and
// read again, and must be usable.
#include "base/hash.h"
#include "detect/saved_bytes.h"
#include "detect/saved_state.h"
#include "detect/tally.h"
#include "detect/test_events.h"
#include "detect/watch.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

namespace {

using namespace watchpost;

constexpr detect::WatchLimits kLimits{.memory = 1 << 20};

std::vector<detect::Detector> detectors() {
  using detect::detector_of;
  return {detector_of({.name = "looks further",
                       .watch = {"credential"},
                       .window = std::chrono::hours(1),
                       .when = "distinct(bounced, recipient) > 2 or new(bounced, recipient) > 2 or "
                               "in_order(bounced, recipient) > 2 or bounced exceeds "
                               "usual(bounced) or bounced / attempted climbs from 1% to 10%"}),
          detector_of({.name = "cohorts",
                       .watch = {"customer provider"},
                       .window = std::chrono::hours(24),
                       .when = "complained / delivered exceeds 1%",
                       .cohort = std::chrono::hours(1)})};
}

void add_hash(std::string& bytes) {
  const uint64_t hash = hash64(bytes);
  bytes.append(reinterpret_cast<const char*>(&hash), sizeof hash);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::vector<detect::Detector> rules = detectors();
  // Mark, release and rules, as they have to be.
  static const std::string head = [] {
    const std::string empty = detect::Tally(rules, kLimits).take().bytes();
    return empty.substr(0, empty.find(detect::kSavedMark) - sizeof(uint32_t));
  }();
  // Two bytes: how much of the rest are counters.
  detect::SavedReader in({reinterpret_cast<const char*>(data), size});
  const size_t wanted = in.number<uint16_t>();
  if (in.bad()) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + sizeof(uint16_t),
                              size - sizeof(uint16_t));
  std::string counters(detect::kSavedMark);
  counters += rest.substr(0, std::min(wanted, rest.size()));
  add_hash(counters);
  detect::SavedWriter out;
  out.bytes() = head;
  out.text(counters);
  out.bytes() += rest.substr(std::min(wanted, rest.size()));
  add_hash(out.bytes());

  const auto increments = detect::Increments::read(out.bytes(), rules, kLimits);
  if (!increments) return 0;
  const std::string bytes = increments->bytes();
  const auto again = detect::Increments::read(bytes, rules, kLimits);
  WP_CHECK(again.has_value() && again->bytes().size() == bytes.size());

  std::vector<Signal> signals;
  detect::Watch watch(rules, kLimits);
  watch.fold({&*increments, 1}, signals);
  watch.on(detect::event_at(0s, "bounced credential=alice recipient=bob@example.org"), signals);
  watch.fold({&*again, 1}, signals);
  WP_CHECK(watch.stats().bytes <= static_cast<uint64_t>(kLimits.memory));
  watch.explain(*parse_stream("credential=alice"));
  detect::Watch next(rules, kLimits);
  WP_CHECK(next.restore(watch.save()).has_value());
  return 0;
}
