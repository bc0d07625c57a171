// Return paths of anybody: what is read of one is an address, and stays what it is.
#include "feedback/attribution/verp.h"

#include "base/result.h"
#include "model/suppression.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace watchpost;
  using namespace watchpost::feedback;
  static const CluePattern pattern = std::move(*CluePattern::from(
      R"(^(?P<customer>\w+)-(?P<user>[^=]+)=(?P<domain>[^@]+)@|(?P<campaign>\d+)|(?P<recipient>x.+))"));
  const std::string_view path(reinterpret_cast<const char*>(data), size);
  const std::string found = verp_recipient(path);
  WP_CHECK(found.empty() || !suppression_key(found).empty());
  const std::string reported = verp_recipient(path, "kim@example.com");
  WP_CHECK(reported.empty() || !suppression_key(reported).empty());
  const TaggedReturnPath read = without_batv_tag(path, Time{std::chrono::hours(500'000)});
  WP_CHECK(read.tagged ? path.ends_with(read.address) : read.address == path && !read.stale);
  if (const auto clue = pattern.read(path)) {
    WP_CHECK(!clue->empty());
    WP_CHECK(clue->recipient.empty() || !suppression_key(clue->recipient).empty());
  }
  return 0;
}
