#pragma once
#include "base/hash.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::store {

// Says of a Message-ID that it is not in a run of events, or that it may be: a Bloom filter.
//   Threads: immutable.
//   Why:     strangers choose what is looked up. Each filter has a seed of its own, which they do
//            not know: what one is wrong about, the next is not.
class IdFilter {
 public:
  // Wrong about 1 of 15,000 that are not in it: a look-up asks more than a thousand filters.
  static constexpr uint64_t kBitsEach = 20;
  static constexpr uint64_t kProbes = 14;

  // Nothing where the bytes are not what IdFilterMaker::pack() gave.
  static std::optional<IdFilter> unpack(std::string_view bytes);
  bool may_have(std::string_view id) const;
  size_t bytes() const { return words_.size() * sizeof(uint64_t); }

 private:
  uint64_t seed_ = 0;
  std::vector<uint64_t> words_;  // none: nothing is in it
};

// Collects the Message-IDs of one filter.
class IdFilterMaker {
 public:
  explicit IdFilterMaker(uint64_t seed) : seed_(seed) {}

  void add(std::string_view id) { hashes_.push_back(hash128(id, seed_)); }
  // docs/formats/store.md; ends with a checksum.
  std::string pack();

 private:
  uint64_t seed_;
  std::vector<Hash128> hashes_;
};

}  // namespace watchpost::store
