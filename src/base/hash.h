#pragma once
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace watchpost {

// Fast, not secret: for tables and identities. Never for anything an attacker gains by colliding;
// where keys come from outside, give a seed that the outside does not know.
uint64_t hash64(std::string_view bytes, uint64_t seed = 0);

struct Hash128 {
  uint64_t high = 0;
  uint64_t low = 0;
  auto operator<=>(const Hash128&) const = default;
  explicit operator bool() const { return high != 0 || low != 0; }
};
Hash128 hash128(std::string_view bytes, uint64_t seed = 0);

// 32 lower-case hex digits, and back (zero where the text is anything else).
std::string to_hex(const Hash128& hash);
Hash128 hash128_from_hex(std::string_view text);

}  // namespace watchpost
