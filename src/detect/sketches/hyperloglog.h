#pragma once
#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace watchpost::detect {

// The registers of a HyperLogLog for fingerprints of 32 bits: ten of the bits choose one of 1024,
// the others make the rank that it keeps the largest of.
inline constexpr int kIndexBits = 10;
inline constexpr size_t kRegisters = size_t{1} << kIndexBits;
inline constexpr int kRestBits = 32 - kIndexBits;
inline constexpr uint8_t kMostRank = kRestBits + 1;

inline size_t register_of(uint32_t fingerprint) { return fingerprint >> kRestBits; }
inline uint8_t rank_of(uint32_t fingerprint) {
  const uint32_t rest = fingerprint << kIndexBits;
  return static_cast<uint8_t>(std::min<int>(std::countl_zero(rest), kRestBits) + 1);
}

// What the estimate needs to know of all registers; whole numbers, so that the order of events
// leaves no trace.
struct RegisterSummary {
  uint64_t sum = 0;  // of 2^-rank over those of ranks between 0 and the largest, in 2^-kRestBits
  uint32_t zeros = 0;
  uint32_t largest = 0;

  void add(uint8_t rank) {
    if (rank == 0) {
      ++zeros;
    } else if (rank == kMostRank) {
      ++largest;
    } else {
      sum += uint64_t{1} << (kRestBits - rank);
    }
  }
  void remove(uint8_t rank) {
    if (rank == 0) {
      --zeros;
    } else {  // nothing comes after the largest
      sum -= uint64_t{1} << (kRestBits - rank);
    }
  }
  double estimate() const;
};

RegisterSummary summary_of(const uint8_t* registers);
// The union, into `registers`.
void raise_to(uint8_t* registers, const uint8_t* others);

}  // namespace watchpost::detect
