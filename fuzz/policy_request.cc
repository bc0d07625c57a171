// Bytes of a policy client: read whole or in pieces they mean the same, memory stays bounded, and
// the answer is always one action line.
#include "base/result.h"
#include "enforce/enforcers/policy_judge.h"
#include "enforce/enforcers/policy_protocol.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

using namespace watchpost;
using namespace watchpost::enforce;

namespace {

constexpr PolicyLimits kLimits{.line_bytes = 256, .attributes = 12, .request_bytes = 1024};

struct Heard {
  std::vector<PolicyRequest> requests;
  bool garbage = false;
};

Heard hear(std::string_view bytes, size_t piece) {
  Heard heard;
  PolicyReader reader(kLimits);
  while (!bytes.empty() && !heard.garbage) {
    reader.feed(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
    for (;;) {
      auto next = reader.next();
      heard.garbage = !next;
      if (!next || !next->has_value()) break;
      heard.requests.push_back(std::move(**next));
    }
    if (!heard.garbage) WP_CHECK(reader.held() <= kLimits.line_bytes);
  }
  return heard;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Heard whole = hear(bytes, std::max<size_t>(size, 1));
  const Heard pieces = hear(bytes, 7);
  WP_CHECK(whole.garbage == pieces.garbage);
  WP_CHECK(whole.requests.size() == pieces.requests.size());

  const feedback::Mapping mapping;
  const Time now{std::chrono::seconds(1'764'000'000)};
  Decision decision;
  decision.id = DecisionId{17};
  decision.scope.parts.push_back({Field::credential, "alice"});
  decision.measure = {.kind = MeasureKind::suspend, .span = std::chrono::hours(1)};
  decision.until = now + decision.measure.span;
  const ActiveDecisions active({decision});
  for (size_t i = 0; i < whole.requests.size(); ++i) {
    const PolicyRequest& request = whole.requests[i];
    WP_CHECK(request.values == pieces.requests[i].values);
    EventBatch batch;
    const Event& event = event_of(request, mapping, batch);
    const Decision* const found = active.strictest(event, now);
    WP_CHECK((found != nullptr) == (request[PolicyAttribute::sasl_username] == "alice"));
    const std::string reply =
        policy_reply(found != nullptr ? action_for(*found, "") : std::string(kNoOpinion));
    WP_CHECK(reply.ends_with("\n\n") && reply.find('\n') == reply.size() - 2);
  }
  const std::string echoed = policy_reply(bytes);
  WP_CHECK(echoed.find('\n') == echoed.size() - 2);
  return 0;
}
