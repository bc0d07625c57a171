#include "detect/sketches/alphabet.h"

#include "base/ascii.h"
#include "base/hash.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace watchpost::detect {
namespace {

uint64_t first_letters(std::string_view text) {
  uint64_t number = 0;
  std::memcpy(&number, text.data(), std::min(text.size(), sizeof number));
  if constexpr (std::endian::native == std::endian::little) number = __builtin_bswap64(number);
  return lanes::lower(number);
}

// Never 0, which is no domain at all. Names have at most 255 bytes (RFC 1035 section 2.3.4).
uint64_t domain_hash(std::string_view domain) {
  std::array<char, 255> lowered;
  domain = domain.substr(0, lowered.size());
  if (has_upper(domain)) {
    std::transform(domain.begin(), domain.end(), lowered.begin(), to_lower);
    domain = {lowered.data(), domain.size()};
  }
  return std::max<uint64_t>(hash64(domain), 1);
}

}  // namespace

bool AlphabetWalk::follows(std::string_view value) {
  const size_t at = value.rfind('@');
  const uint64_t letters = first_letters(value.substr(0, at));
  const uint64_t domain = domain_hash(at == value.npos ? std::string_view() : value.substr(at + 1));
  const bool after = domain == domain_ && letters > last_;
  last_ = letters;
  domain_ = domain;
  return after;
}

}  // namespace watchpost::detect
