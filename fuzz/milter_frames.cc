// Bytes as they may come over a connection to the milter, cut into frames. However they are cut by
// the network, the same frames come out, and the buffer stays within its bound.
#include "border/milter/frames.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using watchpost::border::FrameReader;

constexpr size_t kMost = 5000;
constexpr size_t kMostHeld = 64 * 1024;

void check(bool holds) {
  if (!holds) __builtin_trap();
}

struct Cut {
  std::vector<std::string> frames;
  bool broken = false;
  bool within_frame = false;
  bool operator==(const Cut&) const = default;
};

Cut cut(std::string_view bytes, size_t piece) {
  FrameReader reader(kMost);
  Cut got;
  while (!bytes.empty() && !reader.broken()) {
    const auto room = reader.room();
    check(!room.empty());
    const size_t count = std::min({room.size(), bytes.size(), piece});
    std::copy_n(bytes.begin(), count, room.begin());
    reader.put(count);
    bytes.remove_prefix(count);
    while (const auto frame = reader.next()) {
      check(frame->data.size() < kMost);
      got.frames.push_back(std::string(1, frame->command).append(frame->data));
    }
    if (piece % 2 == 1) reader.release();
    check(reader.held() <= kMostHeld);
  }
  got.broken = reader.broken();
  got.within_frame = !got.broken && reader.within_frame();
  return got;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Cut whole = cut(bytes, std::string_view::npos);
  for (const size_t piece : {size_t{1}, size_t{2}, size_t{7}, size_t{1000}}) {
    check(cut(bytes, piece) == whole);
  }
  // Written again they are the bytes that were read.
  std::string again;
  for (const std::string& one : whole.frames) {
    watchpost::border::add_frame(again, one[0], std::string_view(one).substr(1));
  }
  check(bytes.starts_with(again));
  check(whole.broken || whole.within_frame || again.size() == bytes.size());
  return 0;
}
