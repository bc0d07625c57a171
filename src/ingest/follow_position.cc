#include "ingest/follow_position.h"

#include "base/text.h"
#include "ingest/line_buffer.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace watchpost::ingest {
namespace {

constexpr std::string_view kVersion = "follow1";

template <class Number>
bool read_number(std::string_view text, Number& number) {
  const char* const end = text.data() + text.size();
  const auto [rest, fault] = std::from_chars(text.data(), end, number);
  return fault == std::errc() && rest == end;
}

}  // namespace

size_t FollowPosition::head_size() const {
  return static_cast<size_t>(std::min<uint64_t>(offset, kHeadBytes));
}
size_t FollowPosition::tail_size() const {
  return static_cast<size_t>(std::min<uint64_t>(offset, kTailBytes));
}

std::string FollowPosition::text() const {
  return fmt::format("{} {} {} {} {} {} {} {}", kVersion, device, inode, born_ns, offset,
                     to_hex(head), to_hex(tail), written_ns);
}

Result<FollowPosition> FollowPosition::parse(std::string_view text) {
  FollowPosition read;
  const auto parts = split(text, ' ');
  const bool good = parts.size() == 8 && parts[0] == kVersion &&
                    read_number(parts[1], read.device) && read_number(parts[2], read.inode) &&
                    read_number(parts[3], read.born_ns) && read_number(parts[4], read.offset) &&
                    read_number(parts[7], read.written_ns);
  if (good) {
    read.head = hash128_from_hex(parts[5]);
    read.tail = hash128_from_hex(parts[6]);
    // One spelling for each position: no leading zeros, no capitals, no hex that is not.
    if (read.text() == text) return read;
  }
  return fail(Code::corrupt, "is not a position in a followed file", escaped(text, 200));
}

}  // namespace watchpost::ingest
