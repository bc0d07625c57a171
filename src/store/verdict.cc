#include "store/verdict.h"

#include "model/mail_verdict.h"

#include <string>

#include <zstd.h>

namespace watchpost::store {
namespace {

// JSON of a few KiB comes to a third; more effort finds little more.
constexpr int kEffort = 1;

std::unexpected<Error> not_a_verdict() {
  return fail(Code::corrupt, "a stored verdict is not what was written");
}

}  // namespace

struct VerdictPacker::Room {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  std::string bytes;

  Room() = default;
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;
  ~Room() { ZSTD_freeCCtx(context); }
};

VerdictPacker::VerdictPacker() = default;
VerdictPacker::~VerdictPacker() = default;
VerdictPacker::VerdictPacker(VerdictPacker&&) noexcept = default;
VerdictPacker& VerdictPacker::operator=(VerdictPacker&&) noexcept = default;

std::string_view VerdictPacker::pack(std::string_view json) {
  if (!room_) room_ = std::make_unique<Room>();
  if (room_->context == nullptr) return json;
  room_->bytes.resize(ZSTD_compressBound(json.size()));
  const size_t size = ZSTD_compressCCtx(room_->context, room_->bytes.data(), room_->bytes.size(),
                                        json.data(), json.size(), kEffort);
  if (ZSTD_isError(size) != 0 || size >= json.size()) return json;
  return std::string_view(room_->bytes).substr(0, size);
}

Result<std::string> unpack_verdict(std::string_view bytes, uint64_t size) {
  if (size > kLongestVerdict) return not_a_verdict();
  if (bytes.size() == size) return std::string(bytes);
  std::string json(size, '\0');
  const size_t got = ZSTD_decompress(json.data(), json.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(got) != 0 || got != size) return not_a_verdict();
  return json;
}

}  // namespace watchpost::store
