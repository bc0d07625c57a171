#include "ingest/growing_bytes.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string_view>
#include <unistd.h>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <zstd.h>

namespace watchpost::ingest {
namespace {

constexpr size_t kRawBlock = 256 * 1024;
constexpr std::string_view kZstdMagic = "\x28\xb5\x2f\xfd";  // RFC 8878 section 3.1.1

constexpr size_t kBlockHeader = 3;  // RFC 8878 section 3.1.1.2

enum class Packing { unknown, plain, zstd };

struct FreeStream {
  void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
};

}  // namespace

struct GrowingBytes::State {
  Descriptor file;
  std::string path;
  Packing packing = Packing::unknown;
  std::unique_ptr<ZSTD_DStream, FreeStream> stream;
  std::vector<char> raw = std::vector<char>(kRawBlock);
  size_t raw_begin = 0;
  size_t raw_end = 0;
  uint64_t raw_read = 0;
  size_t wanted = 1;     // up to the end of the block that comes next
  bool pending = false;  // the unpacker may still hold output although all input is taken
  bool within = false;   // a frame
  bool damaged = false;

  // Behind what is there of the raw bytes; 0: no more for now.
  Result<size_t> fill() {
    if (raw_begin == raw_end) raw_begin = raw_end = 0;
    if (raw_end == raw.size()) return size_t{0};
    ssize_t got = -1;
    do {
      got = ::pread(file.number(), raw.data() + raw_end, raw.size() - raw_end,
                    static_cast<off_t>(raw_read));
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
      return fail(Code::unavailable, fmt::format("cannot be read: {}", std::strerror(errno)), path);
    }
    raw_read += static_cast<uint64_t>(got);
    raw_end += static_cast<size_t>(got);
    return static_cast<size_t>(got);
  }

  // Once the first four bytes are there.
  Result<Done> recognise() {
    const auto got = fill();
    if (!got) return fail(got.error());
    const std::string_view first(raw.data(), raw_end);
    if (first.size() < kZstdMagic.size() && kZstdMagic.starts_with(first)) return Done{};
    packing = first.starts_with(kZstdMagic) ? Packing::zstd : Packing::plain;
    if (packing == Packing::zstd) {
      stream.reset(ZSTD_createDStream());
      WP_CHECK(stream != nullptr);
    }
    return Done{};
  }

  Result<size_t> read_plain(std::span<char> into) {
    if (raw_begin == raw_end) {
      const auto got = fill();
      if (!got || *got == 0) return got;
    }
    const size_t some = std::min(into.size(), raw_end - raw_begin);
    std::memcpy(into.data(), raw.data() + raw_begin, some);
    raw_begin += some;
    return some;
  }

  Result<size_t> read_zstd(std::span<char> into) {
    while (!damaged) {
      if (raw_begin == raw_end && !pending) {
        const auto got = fill();
        if (!got || *got == 0) return got;
      }
      // Block by block, and nothing new before all of the last one is out: what came before a
      // damaged block is given out.
      ZSTD_inBuffer in{raw.data() + raw_begin, pending ? 0 : std::min(raw_end - raw_begin, wanted),
                       0};
      ZSTD_outBuffer out{into.data(), into.size(), 0};
      const size_t answer = ZSTD_decompressStream(stream.get(), &out, &in);
      raw_begin += in.pos;
      damaged = ZSTD_isError(answer) != 0;
      within = answer != 0;
      // The answer reckons with the header of the block behind it, which may be the damaged one.
      if (!damaged)
        wanted = answer > kBlockHeader ? answer - kBlockHeader : std::max<size_t>(answer, 1);
      // Output room left over means that it has given all it can from this input.
      pending = out.pos == into.size() && within;
      if (out.pos > 0) return out.pos;
    }
    return fail(Code::corrupt, "its packed data is damaged", path);
  }
};

GrowingBytes::GrowingBytes(std::unique_ptr<State> state) : state_(std::move(state)) {}
GrowingBytes::GrowingBytes(GrowingBytes&&) noexcept = default;
GrowingBytes& GrowingBytes::operator=(GrowingBytes&&) noexcept = default;
GrowingBytes::~GrowingBytes() = default;

Result<GrowingBytes> GrowingBytes::open(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) {
    const Code code = errno == ENOENT ? Code::not_found : Code::unavailable;
    return fail(code, fmt::format("cannot be opened: {}", std::strerror(errno)), path);
  }
  auto state = std::make_unique<State>();
  state->file = std::move(file);
  state->path = path;
  return GrowingBytes(std::move(state));
}

Result<size_t> GrowingBytes::read(std::span<char> into) {
  if (into.empty()) return size_t{0};
  if (state_->packing == Packing::unknown) {
    const auto known = state_->recognise();
    if (!known) return fail(known.error());
  }
  switch (state_->packing) {
    case Packing::unknown: return size_t{0};
    case Packing::plain: return state_->read_plain(into);
    case Packing::zstd: return state_->read_zstd(into);
  }
  return size_t{0};
}

bool GrowingBytes::whole() const {
  return !state_->damaged && !state_->within &&
         (state_->packing != Packing::unknown || state_->raw_end == 0);
}
uint64_t GrowingBytes::raw_read() const { return state_->raw_read; }
int GrowingBytes::descriptor() const { return state_->file.number(); }

}  // namespace watchpost::ingest
