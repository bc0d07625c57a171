// A token of anybody: whatever it is, it is read, and only one that was made is good. The first
// half of the bytes is a text in which tokens may stand, the other what a token is made of.
#include "feedback/attribution/token.h"

#include "base/result.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace watchpost;
using namespace watchpost::feedback;

const TokenKeys& keys() {
  static const TokenKeys made = [] {
    const std::vector<TokenKeySettings> settings{
        {.id = 1, .secret = "0123456789abcdef"},
        {.id = 2, .secret = "fedcba9876543210", .customer = "acme"}};
    return std::move(*TokenKeys::from(settings));
  }();
  return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Time now{std::chrono::hours(500'000)};
  const Duration age = std::chrono::hours(720);
  for (const std::string_view token : tokens_in(bytes)) {
    WP_CHECK(token.starts_with('w') || token.starts_with('W'));
    WP_CHECK(keys().read(token, now, age).state != TokenState::ok);
  }
  static_cast<void>(keys().read(bytes, now, age));
  const std::string text(bytes.substr(size / 2));
  const bool for_unsubscribe = size % 2 != 0;
  const auto made = keys().make({.sent = now, .campaign = text, .for_unsubscribe = for_unsubscribe},
                                "kim@example.com", now, 2);
  const bool breaks =
      std::ranges::any_of(text, [](unsigned char c) { return c < ' ' || c == 0x7f; });
  WP_CHECK(!made || !breaks);
  if (!made) return 0;
  const ReadToken read = keys().read(*made, now, age);
  WP_CHECK(read.state == TokenState::ok && read.content.customer == "acme");
  WP_CHECK(read.content.for_unsubscribe == for_unsubscribe);
  WP_CHECK(read.content.campaign == text && keys().is_for(read, "KIM@EXAMPLE.COM"));
  WP_CHECK(tokens_in("<" + *made + ">").size() == 1);
  return 0;
}
