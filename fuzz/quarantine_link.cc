// A link of anybody: whatever it is, it is read, and only one that was made here is good. The bytes
// are a token, and what a token is made of.
#include "base/result.h"
#include "quarantine/links.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace watchpost;
  using namespace watchpost::quarantine;
  constexpr std::string_view kSecret = "0123456789abcdef";
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Time now{std::chrono::hours(500'000)};
  // Nobody who does not know the secret makes a good one.
  WP_CHECK(!read_link_token(kSecret, bytes, now));
  HeldId id;
  std::memcpy(&id, data, size < sizeof id ? size : sizeof id);
  const std::string token =
      make_link_token(kSecret, id, bytes, now + std::chrono::hours(size % 100));
  const auto link = read_link_token(kSecret, token, now);
  WP_CHECK(link.has_value() == (size % 100 > 0));
  if (!link) return 0;
  HeldMessage message;
  message.copies = {{.recipient = std::string(bytes)}};
  WP_CHECK(link->id == id && recipient_of(*link, message) == bytes);
  WP_CHECK(!read_link_token("another secret", token, now));
  std::string other = token;
  other[size % other.size()] ^= 1;
  WP_CHECK(!read_link_token(kSecret, other, now));
  return 0;
}
