// Watch::restore() of bytes from anywhere. The checksum is put right, so that what lies behind it
// is reached: whatever is accepted must be usable and must be the same when saved and restored
// again.
#include "base/hash.h"
#include "detect/saved_state.h"
#include "detect/test_events.h"
#include "detect/watch.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace {

using namespace watchpost;

std::vector<detect::Detector> detectors() {
  using detect::detector_of;
  return {detector_of({.name = "bounces",
                       .watch = {"credential", "customer campaign"},
                       .window = std::chrono::seconds(60),
                       .when = "bounced(class == unknown_user) / attempted > 30%",
                       .guard = "attempted >= 2"}),
          detector_of({.name = "long",
                       .watch = {"credential"},
                       .window = std::chrono::hours(1),
                       .when = "bounced >= 3"}),
          detector_of({.name = "looks further",
                       .watch = {"credential"},
                       .window = std::chrono::hours(1),
                       .when = "distinct(bounced, recipient) > 2 or new(bounced, recipient) > 2 or "
                               "in_order(bounced, recipient) > 2 or bounced exceeds "
                               "usual(bounced) or bounced / attempted climbs from 1% to 10%"}),
          detector_of({.name = "cohorts",
                       .watch = {"customer provider"},
                       .window = std::chrono::hours(24),
                       .when = "complained / delivered exceeds 1%",
                       .suggests = "receiver_fault",
                       .cohort = std::chrono::hours(1)})};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::vector<detect::Detector> rules = detectors();
  // The first byte is the version, so that the older one is tried as well.
  if (size == 0) return 0;
  std::string bytes(detect::kSavedMark);
  bytes.append(reinterpret_cast<const char*>(data), size);
  const uint64_t hash = hash64(bytes);
  bytes.append(reinterpret_cast<const char*>(&hash), sizeof hash);

  const detect::WatchLimits limits{.memory = 1 << 20};
  detect::Watch watch(rules, limits);
  if (!watch.restore(bytes)) {
    WP_CHECK(watch.stats().streams == 0);
    return 0;
  }
  WP_CHECK(watch.stats().bytes <= static_cast<uint64_t>(limits.memory));
  const std::string saved = watch.save();
  detect::Watch again(rules, limits);
  WP_CHECK(again.restore(saved).has_value());
  WP_CHECK(again.save().size() == saved.size());

  const Stream stream = *parse_stream("credential=alice customer=acme campaign=news");
  std::vector<Signal> signals;
  for (const auto at : {0s, 1s, 30s, 3000s, 100'000s, 100'001s}) {
    watch.on(detect::event_at(at,
                              "bounced credential=alice customer=acme campaign=news "
                              "class=unknown_user recipient=bob@example.org provider=gmail"),
             signals);
    watch.on(detect::event_at(at, "complained customer=acme provider=gmail delay=2h"), signals);
    watch.rearm("looks further", *parse_stream("credential=alice"));
    watch.rearm("cohorts", *parse_stream("customer=acme provider=gmail"));
    watch.rearm("bounces", *parse_stream("credential=alice"));
    watch.movers({}, 5);
    watch.explain(stream);
  }
  watch.advance_to(Time::max());
  return 0;
}
