#include "ingest/byte_stream.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

namespace watchpost::ingest {
namespace {

constexpr size_t kRawBlock = 256 * 1024;

// What one round of unpacking came to.
struct Unpacked {
  size_t taken = 0;  // of the packed bytes
  size_t given = 0;  // unpacked bytes
  bool broken = false;
};

class Unpacker {
 public:
  virtual ~Unpacker() = default;
  virtual Unpacked unpack(std::string_view packed, std::span<char> into) = 0;
  // The packed bytes so far could end here.
  virtual bool whole() const = 0;
};

// RFC 1952: a gzip file is one or more members, one after the other (section 2.2).
class GzipUnpacker final : public Unpacker {
 public:
  GzipUnpacker() { WP_CHECK(inflateInit2(&stream_, MAX_WBITS + 16) == Z_OK); }
  ~GzipUnpacker() override { inflateEnd(&stream_); }

  Unpacked unpack(std::string_view packed, std::span<char> into) override {
    Unpacked round;
    if (whole_) {
      if (packed.empty()) return round;
      // Tapes and some writers pad with zeros behind the last member; that is not data.
      if (packed.front() == '\0') padding_ = true;
      if (padding_) {
        round.broken = packed.find_first_not_of('\0') != std::string_view::npos;
        round.taken = packed.size();
        return round;
      }
      inflateReset(&stream_);
      whole_ = false;
    }
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    stream_.avail_in = static_cast<uInt>(packed.size());
    stream_.next_out = reinterpret_cast<Bytef*>(into.data());
    stream_.avail_out = static_cast<uInt>(into.size());
    const int answer = inflate(&stream_, Z_NO_FLUSH);
    round.taken = packed.size() - stream_.avail_in;
    round.given = into.size() - stream_.avail_out;
    whole_ = answer == Z_STREAM_END;
    round.broken = answer != Z_OK && answer != Z_STREAM_END && answer != Z_BUF_ERROR;
    return round;
  }
  bool whole() const override { return whole_; }

 private:
  z_stream stream_{};
  bool whole_ = false;
  bool padding_ = false;
};

// RFC 8878: one or more frames, one after the other (section 3.1).
class ZstdUnpacker final : public Unpacker {
 public:
  ZstdUnpacker() : stream_(ZSTD_createDStream()) { WP_CHECK(stream_ != nullptr); }
  ~ZstdUnpacker() override { ZSTD_freeDStream(stream_); }

  Unpacked unpack(std::string_view packed, std::span<char> into) override {
    if (whole_ && packed.empty()) return {};
    ZSTD_inBuffer in{packed.data(), packed.size(), 0};
    ZSTD_outBuffer out{into.data(), into.size(), 0};
    const size_t answer = ZSTD_decompressStream(stream_, &out, &in);
    whole_ = answer == 0;
    return {.taken = in.pos, .given = out.pos, .broken = ZSTD_isError(answer) != 0};
  }
  bool whole() const override { return whole_; }

 private:
  ZSTD_DStream* stream_;
  bool whole_ = false;
};

bool begins_with(std::string_view bytes, std::string_view magic) {
  return bytes.substr(0, magic.size()) == magic;
}

}  // namespace

struct ByteStream::State {
  Descriptor file;
  std::string about;
  std::unique_ptr<Unpacker> unpacker;  // null: plain
  std::vector<char> raw;               // the packed bytes, or the first ones of a plain file
  size_t raw_begin = 0;
  size_t raw_end = 0;
  uint64_t raw_read = 0;
  bool drained = false;  // the unpacker may still hold output although all input is taken
  std::optional<Error> error;
  Enough enough;

  // False where no more is wanted before something came.
  bool wait_for_bytes() const {
    constexpr int kPatience = 200;  // milliseconds
    pollfd wanted{.fd = file.number(), .events = POLLIN, .revents = 0};
    while (!enough()) {
      const int ready = ::poll(&wanted, 1, kPatience);
      if (ready > 0 || (ready < 0 && errno != EINTR)) return true;
    }
    return false;
  }

  Result<size_t> read_raw(std::span<char> into) {
    while (true) {
      if (enough && !wait_for_bytes()) return size_t{0};
      const ssize_t got = ::read(file.number(), into.data(), into.size());
      if (got >= 0) {
        raw_read += static_cast<uint64_t>(got);
        return static_cast<size_t>(got);
      }
      if (errno == EINTR) continue;
      return fail(Code::unavailable, fmt::format("cannot be read: {}", std::strerror(errno)),
                  about);
    }
  }
  Result<Done> recognise();
  Result<size_t> read_plain(std::span<char> into);
  Result<size_t> read_packed(std::span<char> into);
};

Result<Done> ByteStream::State::recognise() {
  raw.resize(kRawBlock);
  while (raw_end < 6) {
    const auto got = read_raw(std::span(raw).subspan(raw_end));
    if (!got) return fail(got.error());
    if (*got == 0) break;
    raw_end += *got;
  }
  const std::string_view first(raw.data(), raw_end);
  if (begins_with(first, "\x1f\x8b")) {
    unpacker = std::make_unique<GzipUnpacker>();
  } else if (begins_with(first, "\x28\xb5\x2f\xfd")) {
    unpacker = std::make_unique<ZstdUnpacker>();
  } else if (begins_with(first,
                         "\xfd"
                         "7zXZ") ||
             begins_with(first, "BZh")) {
    return fail(Code::refused, "is packed with xz or bzip2: unpack it first (gzip and zstd do)",
                about);
  }
  return Done{};
}

Result<size_t> ByteStream::State::read_plain(std::span<char> into) {
  if (raw_begin == raw_end) return read_raw(into);
  const size_t some = std::min(into.size(), raw_end - raw_begin);
  std::memcpy(into.data(), raw.data() + raw_begin, some);
  raw_begin += some;
  return some;
}

Result<size_t> ByteStream::State::read_packed(std::span<char> into) {
  if (error) return fail(*error);
  while (true) {
    if (raw_begin == raw_end && drained) {
      const auto got = read_raw(raw);
      if (!got) return got;
      raw_begin = 0;
      raw_end = *got;
      if (*got == 0) {
        if (unpacker->whole()) return size_t{0};
        error = Error{Code::corrupt, "ends in the middle of its packed data", about};
        return fail(*error);
      }
    }
    const Unpacked round =
        unpacker->unpack(std::string_view(raw.data() + raw_begin, raw_end - raw_begin), into);
    raw_begin += round.taken;
    // Output room left over means that the unpacker has given all it can from this input.
    drained = round.given < into.size();
    if (round.broken) error = Error{Code::corrupt, "its packed data is damaged", about};
    if (round.given > 0) return round.given;
    if (error) return fail(*error);
    if (round.taken == 0 && raw_begin < raw_end) {
      error = Error{Code::corrupt, "its packed data is damaged", about};
      return fail(*error);
    }
  }
}

ByteStream::ByteStream(std::unique_ptr<State> state) : state_(std::move(state)) {}
ByteStream::ByteStream(ByteStream&&) noexcept = default;
ByteStream& ByteStream::operator=(ByteStream&&) noexcept = default;
ByteStream::~ByteStream() = default;

Result<ByteStream> ByteStream::open(const std::string& path, Enough enough) {
  if (path == "-") return over(Descriptor(::dup(STDIN_FILENO)), "standard input", enough);
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) {
    const Code code = errno == ENOENT ? Code::not_found : Code::unavailable;
    return fail(code, fmt::format("cannot be opened: {}", std::strerror(errno)), path);
  }
  ::posix_fadvise(file.number(), 0, 0, POSIX_FADV_SEQUENTIAL);
  return over(std::move(file), path, std::move(enough));
}

Result<ByteStream> ByteStream::over(Descriptor file, std::string about, Enough enough) {
  auto state = std::make_unique<State>();
  state->file = std::move(file);
  state->about = std::move(about);
  state->enough = std::move(enough);
  const auto known = state->recognise();
  if (!known) return fail(known.error());
  return ByteStream(std::move(state));
}

Result<size_t> ByteStream::read(std::span<char> into) {
  if (into.empty()) return size_t{0};
  return state_->unpacker ? state_->read_packed(into) : state_->read_plain(into);
}

bool ByteStream::packed() const { return state_->unpacker != nullptr; }
uint64_t ByteStream::raw_read() const { return state_->raw_read; }
int ByteStream::descriptor() const { return state_->file.number(); }

}  // namespace watchpost::ingest
