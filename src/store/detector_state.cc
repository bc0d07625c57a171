#include "store/detector_state.h"

#include "crypto/digest.h"

#include <tuple>

#include <fmt/format.h>

namespace watchpost::store {
namespace {

constexpr std::string_view kMark = "WPSTATE\n";
constexpr uint64_t kVersion = 1;
constexpr size_t kHead = 8 + 8 + 8 + 8;  // mark, version, sequence, size
constexpr size_t kDigest = std::tuple_size_v<crypto::Sha256>;

void put_number(std::string& out, uint64_t number) {
  for (int i = 0; i < 8; ++i) out += static_cast<char>(number >> (8 * i));
}

uint64_t number_at(std::string_view file, size_t at) {
  uint64_t number = 0;
  for (size_t i = 0; i < 8; ++i) {
    number |= static_cast<uint64_t>(static_cast<unsigned char>(file[at + i])) << (8 * i);
  }
  return number;
}

std::string digest_of(std::string_view bytes) {
  const crypto::Sha256 digest = crypto::sha256(bytes);
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace

std::string encode_detector_state(std::string_view bytes, uint64_t sequence) {
  std::string file;
  file.reserve(kHead + bytes.size() + kDigest);
  file += kMark;
  put_number(file, kVersion);
  put_number(file, sequence);
  put_number(file, bytes.size());
  file += bytes;
  return file += digest_of(file);
}

Result<DetectorState> decode_detector_state(std::string_view file) {
  if (file.size() < kHead + kDigest || !file.starts_with(kMark)) {
    return fail(Code::corrupt, "the saved detector state is cut short or is something else");
  }
  const std::string_view signed_part = file.substr(0, file.size() - kDigest);
  if (digest_of(signed_part) != file.substr(signed_part.size())) {
    return fail(Code::corrupt, "the saved detector state does not match its checksum");
  }
  const uint64_t version = number_at(file, 8);
  if (version != kVersion) {
    return fail(Code::refused, fmt::format("the saved detector state has version {}; this program "
                                           "reads version {}",
                                           version, kVersion));
  }
  if (number_at(file, 24) != signed_part.size() - kHead) {
    return fail(Code::corrupt, "the saved detector state has another size than it says");
  }
  return DetectorState{std::string(signed_part.substr(kHead)), number_at(file, 16)};
}

}  // namespace watchpost::store
