// Bytes to messages, coming in as a whole and in pieces: both must agree, and the places of the
// messages must cover all bytes. The first byte is the largest message, the second the size of the
// pieces, the third the shape.
#include "ingest/mail_stream.h"

#include "base/result.h"
#include "ingest/mail_whole.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace watchpost::ingest;

struct Got {
  std::string bytes;
  uint64_t offset;
  uint64_t size;
  bool too_large;
  bool broken_off;
  bool operator==(const Got&) const = default;
};

std::vector<Got> read(std::string_view bytes, size_t largest, MailShape shape, size_t piece) {
  std::vector<Got> all;
  MailStream messages(largest, shape);
  StreamedMail mail;
  const auto take = [&] {
    while (messages.next(mail)) {
      WP_CHECK(mail.number == all.size() + 1);
      all.push_back(
          {std::string(mail.bytes), mail.offset, mail.size, mail.too_large, mail.broken_off});
    }
  };
  while (!bytes.empty()) {
    const std::span<char> room = messages.room();
    const std::string_view some = bytes.substr(0, std::min(piece, room.size()));
    std::ranges::copy(some, room.begin());
    messages.filled(some.size());
    bytes.remove_prefix(some.size());
    take();
    wholeness_of(messages.unfinished());
  }
  messages.end();
  take();
  WP_CHECK(!messages.next(mail));
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3) return 0;
  const size_t largest = size_t{1} + data[0] * size_t{16};
  const size_t piece = size_t{1} + data[1];
  const auto shape = static_cast<MailShape>(data[2] % 3);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 3, size - 3);

  const std::vector<Got> whole = read(bytes, largest, shape, SIZE_MAX);
  WP_CHECK(read(bytes, largest, shape, piece) == whole);
  uint64_t at = 0;
  for (const Got& one : whole) {
    WP_CHECK(one.offset == at && one.size > 0 && one.bytes.size() <= one.size);
    WP_CHECK(one.too_large == (one.size > largest));
    at += one.size;
  }
  WP_CHECK(at == bytes.size());
  if (shape == MailShape::message) WP_CHECK(whole.size() <= 1);
  return 0;
}
