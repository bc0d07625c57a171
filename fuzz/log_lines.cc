// Bytes of a log to lines, in two ways that must agree: through a file, unpacked where it is
// packed, and where it is plain by a split of the bytes, coming in pieces. The first byte is the
// longest line, the second the size of the pieces.
#include "ingest/lines.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

namespace {

using namespace watchpost::ingest;

struct Got {
  std::string text;
  uint64_t offset;
  bool cut;
  bool operator==(const Got&) const = default;
};

std::vector<Got> by_split(std::string_view bytes, size_t longest) {
  std::vector<Got> all;
  for (size_t at = 0; at < bytes.size();) {
    const size_t end = std::min(bytes.find('\n', at), bytes.size());
    std::string_view text = bytes.substr(at, end - at);
    const bool cut = text.size() > longest;
    if (cut) {
      text = text.substr(0, longest);
    } else if (text.ends_with('\r')) {
      text.remove_suffix(1);
    }
    all.push_back({std::string(text), at, cut});
    at = end + 1;
  }
  return all;
}

std::vector<Got> by_pieces(std::string_view bytes, size_t longest, size_t piece) {
  std::vector<Got> all;
  LineBuffer buffer(longest);
  Line line;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    const std::string_view some = bytes.substr(at, piece);
    std::ranges::copy(some, buffer.room().begin());
    buffer.filled(some.size());
    while (buffer.next(line)) all.push_back({std::string(line.text), line.offset, line.cut});
  }
  if (buffer.last(line)) all.push_back({std::string(line.text), line.offset, line.cut});
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const size_t longest = 1 + data[0];
  const size_t piece = 1 + data[1];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);

  const int file = ::memfd_create("log", MFD_CLOEXEC);
  WP_CHECK(file >= 0);
  WP_CHECK(::write(file, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  std::vector<Got> read;
  bool packed = true;
  if (auto stream = ByteStream::open(fmt::format("/proc/self/fd/{}", file))) {
    packed = stream->packed();
    auto reader = LineReader::open(fmt::format("/proc/self/fd/{}", file), longest);
    WP_CHECK(reader.has_value());
    Line line;
    // A few bytes can unpack to very many.
    while (read.size() < 10'000 && reader->next(line)) {
      WP_CHECK(line.text.size() <= longest);
      WP_CHECK(read.empty() || line.offset > read.back().offset);
      read.push_back({std::string(line.text), line.offset, line.cut});
    }
  }
  ::close(file);
  const std::vector<Got> split = by_split(bytes, longest);
  WP_CHECK(by_pieces(bytes, longest, piece) == split);
  if (!packed && split.size() < 10'000) WP_CHECK(read == split);
  return 0;
}
