// Saved text of decisions: either refused, or it is read as what save() writes, and goes on
// working.
#include "base/result.h"
#include "decide/decider.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

using watchpost::decide::Decider;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Decider decider({});
  const std::string fresh = decider.save();
  if (!decider.restore({}, {}, 0, text)) {
    WP_CHECK(decider.save() == fresh);  // a refusal changes nothing
    return 0;
  }
  const std::string saved = decider.save();
  Decider again({});
  WP_CHECK(again.restore({}, {}, 0, saved));
  WP_CHECK(again.save() == saved);

  const watchpost::Time now{std::chrono::seconds(1'764'000'000)};
  (void)decider.advance_to(now);
  watchpost::Signal signal;
  signal.at = now;
  signal.mode = watchpost::Mode::enforce;
  signal.stream.parts.push_back({watchpost::Field::credential, "alice"});
  signal.then.push_back({.kind = watchpost::MeasureKind::hold, .span = std::chrono::hours(1)});
  for (const auto& decision : decider.on(signal, {}, 1, now).decisions) {
    WP_CHECK(decision.until > now);
  }
  WP_CHECK(again.restore({}, {}, 0, decider.save()));
  return 0;
}
