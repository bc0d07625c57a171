#include "feedback/phrase_search.h"

#include "base/result.h"

#include <algorithm>

namespace watchpost::feedback {
namespace {

// How common a byte is in what mail servers write, roughly: the higher, the less it tells.
unsigned commonness(char c) {
  constexpr std::string_view kFromCommon = " etoairnsdlcumpbfhgvywkx";
  const size_t place = kFromCommon.find(c);
  return place == std::string_view::npos ? 0 : static_cast<unsigned>(kFromCommon.size() - place);
}

}  // namespace

// Where in the phrase the four bytes are that the fewest other texts have: few phrases share them
// (what is common in phrases is so in replies), and their letters are uncommon.
size_t PhraseSearch::rarest_gram(std::string_view phrase, std::span<const uint16_t> met) const {
  size_t best = 0;
  unsigned least = ~0U;
  for (size_t at = 0; at + kGram <= phrase.size(); ++at) {
    unsigned cost = 16U * met[hash_of(gram_at(phrase.data() + at))];
    for (const char c : phrase.substr(at, kGram)) cost += commonness(c);
    if (cost < least) {
      least = cost;
      best = at;
    }
  }
  return best;
}

PhraseSearch::PhraseSearch(std::span<const std::pair<std::string, uint16_t>> phrases)
    : awaited_((size_t{1} << kHashBits) / 64), bucket_from_((size_t{1} << kBucketBits) + 1) {
  size_t bytes = 0;
  std::vector<uint16_t> met(size_t{1} << kHashBits);  // in how many places of phrases a gram is
  for (const auto& [phrase, owner] : phrases) {
    WP_CHECK(!phrase.empty());
    bytes += phrase.size();
    for (size_t at = 0; at + kGram <= phrase.size(); ++at) {
      ++met[hash_of(gram_at(phrase.data() + at))];
    }
  }
  WP_CHECK(bytes <= kMostBytes);
  for (const auto& [phrase, owner] : phrases) {
    if (phrase.size() < kGram) {
      short_.emplace_back(phrase, owner);
      continue;
    }
    const size_t before = rarest_gram(phrase, met);
    const uint32_t gram = gram_at(phrase.data() + before);
    awaited_[hash_of(gram) / 64] |= uint64_t{1} << (hash_of(gram) % 64);
    ++bucket_from_[bucket_of(hash_of(gram)) + 1];
    entries_.push_back({gram, static_cast<uint32_t>(bytes_.size()),
                        static_cast<uint32_t>(phrase.size()), static_cast<uint32_t>(before),
                        owner});
    bytes_ += phrase;
  }
  for (size_t i = 1; i < bucket_from_.size(); ++i) bucket_from_[i] += bucket_from_[i - 1];
  std::ranges::sort(entries_, {}, [](const Entry& entry) {
    return std::pair(bucket_of(hash_of(entry.gram)), entry.begin);
  });
}

}  // namespace watchpost::feedback
