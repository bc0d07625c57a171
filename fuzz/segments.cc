// The bytes of a segment as they come in, in two parts: each line once, however it is cut, damaged
// or packed; and the text of a position: whatever is read writes itself back the same.
#include "ingest/growing_bytes.h"
#include "ingest/line_buffer.h"
#include "ingest/segment_position.h"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <unistd.h>

#include <fmt/format.h>

namespace {

using namespace watchpost;

void require(bool condition) {
  if (!condition) std::abort();
}

// All that comes out for now. Frames that unpack to very much are not read to their end.
bool take(ingest::GrowingBytes& bytes, std::string& into) {
  std::array<char, 4096> room;
  while (into.size() < 256 * 1024) {
    const auto got = bytes.read(room);
    if (!got) return false;
    if (*got == 0) return true;
    into.append(room.data(), *got);
  }
  return true;
}

void read_position(std::string_view text) {
  const auto places = ingest::segment_places_from(text);
  if (!places) {
    require(places.error().code == Code::corrupt && places.error().about.size() < 1000);
    return;
  }
  require(ingest::text_of(*places) == text && places->size() <= ingest::kMostSuffixes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  read_position({reinterpret_cast<const char*>(data), size});
  const int file = ::memfd_create("segment", MFD_CLOEXEC);
  require(file >= 0);
  const std::string path = fmt::format("/proc/self/fd/{}", file);
  auto grown = ingest::GrowingBytes::open(path);
  require(grown.has_value());
  std::string in_parts;
  const size_t half = size / 2;
  require(::write(file, data, half) == static_cast<ssize_t>(half));
  bool good = take(*grown, in_parts);
  require(::write(file, data + half, size - half) == static_cast<ssize_t>(size - half));
  good = good && take(*grown, in_parts);
  auto at_once = ingest::GrowingBytes::open(path);
  require(at_once.has_value());
  std::string whole;
  const bool all_good = take(*at_once, whole);
  require(in_parts == whole && good == all_good);
  if (good && whole.size() < 256 * 1024) require(grown->whole() == at_once->whole());
  ::close(file);
  return 0;
}
