#include "store/id_filter.h"

#include <algorithm>

namespace watchpost::store {
namespace {

constexpr size_t kWord = sizeof(uint64_t);

uint64_t word_at(std::string_view bytes, size_t number) {
  uint64_t word = 0;
  for (size_t i = 0; i < kWord; ++i) {
    word |= static_cast<uint64_t>(static_cast<unsigned char>(bytes[number * kWord + i])) << (8 * i);
  }
  return word;
}

void put_word(std::string& to, uint64_t word) {
  for (size_t i = 0; i < kWord; ++i) to.push_back(static_cast<char>(word >> (8 * i)));
}

uint64_t bit_of(const Hash128& hash, uint64_t probe, uint64_t bits) {
  return (hash.high + probe * (hash.low | 1)) % bits;
}

}  // namespace

bool IdFilter::may_have(std::string_view id) const {
  if (words_.empty()) return false;
  const Hash128 hash = hash128(id, seed_);
  const uint64_t bits = words_.size() * 64;
  for (uint64_t probe = 0; probe < kProbes; ++probe) {
    const uint64_t bit = bit_of(hash, probe, bits);
    if ((words_[bit / 64] >> (bit % 64) & 1) == 0) return false;
  }
  return true;
}

std::optional<IdFilter> IdFilter::unpack(std::string_view bytes) {
  if (bytes.size() < 2 * kWord || bytes.size() % kWord != 0) return std::nullopt;
  const size_t words = bytes.size() / kWord;
  if (hash64(bytes.substr(0, bytes.size() - kWord)) != word_at(bytes, words - 1)) {
    return std::nullopt;
  }
  IdFilter filter;
  filter.seed_ = word_at(bytes, 0);
  filter.words_.reserve(words - 2);
  for (size_t i = 1; i + 1 < words; ++i) filter.words_.push_back(word_at(bytes, i));
  return filter;
}

std::string IdFilterMaker::pack() {
  std::ranges::sort(hashes_);
  const auto rest = std::ranges::unique(hashes_);
  hashes_.erase(rest.begin(), rest.end());
  std::vector<uint64_t> words((hashes_.size() * IdFilter::kBitsEach + 63) / 64);
  const uint64_t bits = words.size() * 64;
  for (const Hash128& hash : hashes_) {
    for (uint64_t probe = 0; probe < IdFilter::kProbes; ++probe) {
      const uint64_t bit = bit_of(hash, probe, bits);
      words[bit / 64] |= uint64_t{1} << (bit % 64);
    }
  }
  std::string bytes;
  bytes.reserve((words.size() + 2) * kWord);
  put_word(bytes, seed_);
  for (const uint64_t word : words) put_word(bytes, word);
  put_word(bytes, hash64(bytes));
  return bytes;
}

}  // namespace watchpost::store
