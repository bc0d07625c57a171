// Reputation::restore() of bytes from anywhere. Mark, version and checksum are put right, so that
// what lies behind them is reached: whatever is accepted must be usable and must be the same when
// saved and restored again.
#include "base/hash.h"
#include "relate/reputation.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

using namespace watchpost;
using relate::Deed;
using relate::Party;
using relate::Reputation;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Reputation reputation({.parties = 64});
  (void)reputation.restore({reinterpret_cast<const char*>(data), size});
  std::string bytes = "WPREPUTE\x01";
  bytes.append(reinterpret_cast<const char*>(data), size);
  const uint64_t hash = hash64(bytes);
  bytes.append(reinterpret_cast<const char*>(&hash), sizeof hash);
  if (!reputation.restore(bytes)) {
    WP_CHECK(reputation.size() == 0);
    return 0;
  }
  WP_CHECK(reputation.size() <= 64);
  const std::string saved = reputation.save();
  Reputation again({.parties = 64});
  WP_CHECK(again.restore(saved).has_value());
  WP_CHECK(again.size() == reputation.size() && again.save().size() == saved.size());

  const Time now{std::chrono::seconds(1'795'000'000)};
  for (const relate::Reputed& one : again.worst(10, now)) {
    WP_CHECK(one.standing.badness() >= 0 && one.standing.badness() <= 1);
    again.note(one.party, one.name, Deed::bad, now);
    WP_CHECK(again.of(one.party, one.name, now).messages() >= 1);
    WP_CHECK(again.forget(one.party, one.name));
  }
  again.note(Party::ip, "192.0.2.1", Deed::good, Time::max());
  return 0;
}
