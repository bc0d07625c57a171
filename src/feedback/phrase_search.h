#pragma once
#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace watchpost::feedback {

// Finds which of many phrases occur in a text, in one pass over it whatever their number: each is
// waited for by the four bytes of it that are the least common, and compared as a whole only where
// these stand.
//   Use:     phrases with the number of their owner, who is told of each place where one is.
//   Threads: immutable.
class PhraseSearch {
 public:
  static constexpr size_t kMostBytes = 64'000;  // of all phrases: those of rules and of stages
  static constexpr uint16_t kNobody = 0xFFFF;

  // Phrases must not be empty; together at most kMostBytes.
  explicit PhraseSearch(std::span<const std::pair<std::string, uint16_t>> phrases);

  // Calls each(owner) for each place in `text` where a phrase stands, roughly in the order of the
  // text; for one of less than four bytes once.
  template <class Each>
  void each_owner(std::string_view text, Each each) const {
    for (const auto& [phrase, owner] : short_) {
      if (text.find(phrase) != std::string_view::npos) each(owner);
    }
    if (text.size() < kGram) return;
    const char* const end = text.data() + text.size() - kGram;
    for (const char* at = text.data(); at <= end; ++at) {
      const uint32_t gram = gram_at(at);
      const uint32_t hash = hash_of(gram);
      if ((awaited_[hash / 64] >> (hash % 64) & 1) == 0) [[likely]]
        continue;
      each_at(text, at, gram, hash, each);
    }
  }

  // The smallest owner below `least` that has a phrase in `text` and whom `accepts` takes;
  // otherwise `least`. `accepts` is asked only about owners that would improve the answer.
  template <class Accepts>
  uint16_t first_owner(std::string_view text, uint16_t least, Accepts accepts) const {
    each_owner(text, [&](uint16_t owner) {
      if (owner < least && accepts(owner)) least = owner;
    });
    return least;
  }

 private:
  static constexpr size_t kGram = 4;
  static constexpr unsigned kHashBits = 17;    // 16 kB of bits: they stay in the nearest cache
  static constexpr unsigned kBucketBits = 12;  // the upper ones of the hash

  struct Entry {
    uint32_t gram;
    uint32_t begin;  // of the phrase in bytes_
    uint32_t size;
    uint32_t before;  // bytes of the phrase before its gram
    uint16_t owner;
  };

  static uint32_t gram_at(const char* at) {
    uint32_t gram = 0;
    std::memcpy(&gram, at, kGram);
    return gram;
  }
  static uint32_t hash_of(uint32_t gram) { return gram * 0x9E3779B1U >> (32 - kHashBits); }
  static size_t bucket_of(uint32_t hash) { return hash >> (kHashBits - kBucketBits); }

  template <class Each>
  void each_at(std::string_view text, const char* at, uint32_t gram, uint32_t hash,
               Each& each) const {
    const auto before = static_cast<size_t>(at - text.data());
    const size_t behind = text.size() - before;
    const size_t bucket = bucket_of(hash);
    for (uint32_t i = bucket_from_[bucket]; i < bucket_from_[bucket + 1]; ++i) {
      const Entry& entry = entries_[i];
      if (entry.gram != gram || entry.before > before ||
          static_cast<size_t>(entry.size - entry.before) > behind)
        continue;
      if (std::memcmp(at - entry.before, bytes_.data() + entry.begin, entry.size) == 0) {
        each(entry.owner);
      }
    }
  }

  size_t rarest_gram(std::string_view phrase, std::span<const uint16_t> met) const;

  std::vector<std::pair<std::string, uint16_t>> short_;  // phrases of less than kGram bytes
  std::string bytes_;                                    // all the others
  std::vector<uint64_t> awaited_;                        // one bit for each hash of a gram
  std::vector<uint32_t> bucket_from_;  // into entries_, one more than there are buckets
  std::vector<Entry> entries_;         // by bucket
};

}  // namespace watchpost::feedback
