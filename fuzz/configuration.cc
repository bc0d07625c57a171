// A configuration file: read, shown, and read again without loss.
#include "config/configuration.h"

#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace watchpost;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto read = config::parse(text, "fuzz");
  if (!read) {
    WP_CHECK(!read.error().empty());
    return 0;
  }
  const auto again = config::parse(read->shown, "shown");
  // What was shown reads back as it is; only a secret that stood there cannot.
  WP_CHECK(again.has_value());
  WP_CHECK(again->shown == read->shown);
  return 0;
}
