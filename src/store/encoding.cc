#include "store/encoding.h"

#include <algorithm>
#include <array>
#include <bit>

namespace watchpost::store {

bool take_varint(std::string_view& from, uint64_t& number) {
  number = 0;
  const size_t most = std::min(from.size(), kVarintMost);
  for (size_t i = 0; i < most; ++i) {
    const auto byte = static_cast<unsigned char>(from[i]);
    if (i + 1 == kVarintMost && byte > 1) return false;  // more than 64 bits
    number |= static_cast<uint64_t>(byte & 0x7F) << (7 * i);
    if (byte < 0x80) {
      from.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

void Encoder::number(uint64_t value) {
  std::array<char, kVarintMost> bytes;
  bytes_.append(bytes.data(), put_varint(bytes.data(), value));
}

void Encoder::text(std::string_view value) {
  number(value.size());
  bytes_ += value;
}

void Encoder::real(double value) {
  const auto bits = std::bit_cast<std::array<char, sizeof value>>(value);
  bytes_.append(bits.data(), bits.size());
}

uint64_t Decoder::number() {
  uint64_t value = 0;
  if (broken_ || !take_varint(rest_, value)) {
    broken_ = true;
    return 0;
  }
  return value;
}

std::string Decoder::text() {
  const uint64_t size = number();
  if (broken_ || size > rest_.size()) {
    broken_ = true;
    return {};
  }
  std::string value(rest_.substr(0, size));
  rest_.remove_prefix(size);
  return value;
}

double Decoder::real() {
  std::array<char, sizeof(double)> bits{};
  if (broken_ || rest_.size() < bits.size()) {
    broken_ = true;
    return 0;
  }
  std::copy_n(rest_.data(), bits.size(), bits.data());
  rest_.remove_prefix(bits.size());
  return std::bit_cast<double>(bits);
}

size_t Decoder::count() {
  const uint64_t value = number();
  if (value > rest_.size()) broken_ = true;
  return broken_ ? 0 : value;
}

Result<Done> Decoder::finish(std::string_view about) const {
  if (!broken_ && rest_.empty()) return Done{};
  return fail(Code::corrupt, "a stored record is not what was written", std::string(about));
}

}  // namespace watchpost::store
