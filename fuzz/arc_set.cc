// A message with ARC fields and signatures as anybody may send them, under a zone that has one key
// for whatever is asked: a chain has a result and a reason, at most fifty sets, no look-up where
// its structure is at fault, and never passes, since nobody here has the key's other half.
#include "auth/arc/arc.h"
#include "auth/dkim/key_cache.h"
#include "base/result.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

using namespace watchpost;
using namespace watchpost::auth;

namespace {

// Some point of the curve; no signature that a fuzzer finds is made with its other half.
constexpr std::string_view kRecord =
    "v=DKIM1; k=ed25519; p=Kc38Tc/7edTBgVehOIAdJ96CsTsNy3GKW6+n6uGAk9g=";

class OneRecord final : public dns::Resolver {
 public:
  size_t asked = 0;
  Async<dns::AnswerPtr> look_up(std::string, dns::RecordType, dns::Budget& budget) override {
    ++asked;
    auto answer = std::make_shared<dns::Answer>();
    if (budget.queries > 0) {
      --budget.queries;
      answer->outcome = dns::Outcome::found;
      answer->texts.emplace_back(kRecord);
    }
    co_return answer;
  }
};

void check_arc(const mime::Message& message, KeyCache& keys) {
  OneRecord zone;
  dns::Budget budget;
  const ArcVerdict verdict = *value_now(verify_arc(message, zone, budget, {.keys = &keys}));
  WP_CHECK(verdict.result != ArcResult::pass);
  WP_CHECK(verdict.sets.size() <= kMostArcSets);
  WP_CHECK((verdict.result == ArcResult::none) == verdict.why.empty());
  WP_CHECK(zone.asked <= 2 * verdict.sets.size());
  for (size_t i = 0; i < verdict.sets.size(); ++i) WP_CHECK(verdict.sets[i].instance == i + 1);
}

void check_dkim(const mime::Message& message, KeyCache& keys) {
  OneRecord zone;
  dns::Budget budget;
  const auto all = *value_now(verify_dkim(message, zone, budget, {.keys = &keys}));
  WP_CHECK(zone.asked <= 10);
  WP_CHECK(all.size() == message.header().count("dkim-signature"));
  for (const DkimVerdict& verdict : all) {
    WP_CHECK(!verdict.passed() && verdict.result != DkimResult::none && !verdict.why.empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto message = mime::Message::read(text);
  KeyCache keys;
  check_arc(message, keys);
  check_dkim(message, keys);
  return 0;
}
