// The text of a position in a followed file: whatever is read writes itself back the same.
#include "ingest/follow_position.h"

#include "ingest/line_buffer.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace watchpost;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto position = ingest::FollowPosition::parse(text);
  if (!position) {
    WP_CHECK(position.error().code == Code::corrupt && position.error().about.size() < 1000);
    return 0;
  }
  WP_CHECK(position->text() == text);
  WP_CHECK(position->head_size() <= ingest::kHeadBytes &&
           position->head_size() <= position->offset);
  WP_CHECK(position->tail_size() <= ingest::kTailBytes &&
           position->tail_size() <= position->offset);
  return 0;
}
