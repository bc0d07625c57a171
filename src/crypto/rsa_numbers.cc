#include "crypto/rsa_numbers.h"

#include <bit>
#include <cstddef>

namespace watchpost::crypto {
namespace {

using namespace std::string_view_literals;

constexpr uint8_t kInteger = 0x02, kBitString = 0x03, kSequence = 0x30;
// rsaEncryption, 1.2.840.113549.1.1.1, as an element of its own, and its parameters: NULL.
constexpr auto kRsaEncryption = "\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x01\x01\x05\x00"sv;

// Takes the element of this tag off the front of `der` and gives what is in it (X.690 section 8.1).
// Lengths that are longer than they need be are taken as they are meant.
std::optional<std::string_view> element(std::string_view& der, uint8_t tag) {
  const auto byte = [&](size_t at) { return static_cast<uint8_t>(der[at]); };
  if (der.size() < 2 || byte(0) != tag) return std::nullopt;
  size_t begin = 2, length = byte(1);
  if (length >= 0x80) {
    const size_t octets = length & 0x7F;
    if (octets == 0 || octets > 4 || der.size() < 2 + octets) return std::nullopt;
    length = 0;
    for (size_t i = 0; i < octets; ++i) length = length << 8 | byte(2 + i);
    begin += octets;
  }
  if (der.size() - begin < length) return std::nullopt;
  const std::string_view inside = der.substr(begin, length);
  der.remove_prefix(begin + length);
  return inside;
}

// A positive number without its leading zeros.
std::optional<std::string_view> positive(std::string_view& der) {
  auto number = element(der, kInteger);
  if (!number || number->empty() || static_cast<uint8_t>(number->front()) >= 0x80) {
    return std::nullopt;
  }
  while (number->starts_with('\0')) number->remove_prefix(1);
  if (number->empty()) return std::nullopt;
  return number;
}

std::optional<RsaNumbers> bare(std::string_view inside) {
  const auto modulus = positive(inside);
  if (!modulus) return std::nullopt;
  const auto exponent = positive(inside);
  if (!exponent || !inside.empty()) return std::nullopt;
  return RsaNumbers{*modulus, *exponent};
}

// The bits of `inside`, which begins with an AlgorithmIdentifier.
std::optional<RsaNumbers> wrapped(std::string_view inside) {
  const auto algorithm = element(inside, kSequence);
  // Some leave the parameters out.
  if (!algorithm || (*algorithm != kRsaEncryption &&
                     *algorithm != kRsaEncryption.substr(0, kRsaEncryption.size() - 2))) {
    return std::nullopt;
  }
  auto bits = element(inside, kBitString);
  // The first byte says how many bits of the last one are unused: none.
  if (!bits || !inside.empty() || !bits->starts_with('\0')) return std::nullopt;
  bits->remove_prefix(1);
  const auto key = element(*bits, kSequence);
  if (!key || !bits->empty()) return std::nullopt;
  return bare(*key);
}

}  // namespace

uint32_t RsaNumbers::modulus_bits() const {
  return static_cast<uint32_t>((modulus.size() - 1) * 8) +
         static_cast<uint32_t>(std::bit_width(static_cast<uint8_t>(modulus.front())));
}

std::optional<RsaNumbers> rsa_numbers(std::string_view der) {
  const auto inside = element(der, kSequence);
  if (!inside || !der.empty()) return std::nullopt;
  if (inside->starts_with(static_cast<char>(kInteger))) return bare(*inside);
  return wrapped(*inside);
}

}  // namespace watchpost::crypto
