#include "feedback/phrase_search.h"

#include "base/result.h"

#include <algorithm>

namespace watchpost::feedback {
namespace {

// The phrases as a tree of letters, as they came. 0 is no child: nothing leads back to the root.
struct Trie {
  size_t letters;
  std::vector<uint16_t> child = std::vector<uint16_t>(letters, 0);  // [state * letters + letter]
  std::vector<std::vector<uint16_t>> owners = std::vector<std::vector<uint16_t>>(1);

  void add(std::string_view phrase, uint16_t owner, const std::array<uint8_t, 256>& letter) {
    size_t state = 0;
    for (const char c : phrase) {
      const size_t at = state * letters + letter[static_cast<unsigned char>(c)];
      if (child[at] == 0) {
        child[at] = static_cast<uint16_t>(owners.size());
        child.resize(child.size() + letters, 0);
        owners.emplace_back();
      }
      state = child[at];
    }
    owners[state].push_back(owner);
  }

  std::vector<uint16_t> breadth_first() const {
    std::vector<uint16_t> order{0};
    for (size_t i = 0; i < order.size(); ++i) {
      for (size_t letter = 0; letter < letters; ++letter) {
        if (const uint16_t next = child[order[i] * letters + letter]; next != 0) {
          order.push_back(next);
        }
      }
    }
    return order;
  }
};

}  // namespace

PhraseSearch::PhraseSearch(std::span<const std::pair<std::string, uint16_t>> phrases) {
  size_t bytes = 0;
  for (const auto& [phrase, owner] : phrases) {
    WP_CHECK(!phrase.empty());
    bytes += phrase.size();
    for (const char c : phrase) letter_[static_cast<unsigned char>(c)] = 1;
  }
  WP_CHECK(bytes <= kMostBytes);
  for (uint8_t& letter : letter_) {
    if (letter != 0) letter = static_cast<uint8_t>(letters_++);
  }
  WP_CHECK(letters_ <= 256);
  Trie trie{letters_};
  for (const auto& [phrase, owner] : phrases) trie.add(phrase, owner, letter_);

  // Renumbered breadth first: every state's longest proper suffix is done before the state itself,
  // and the states near the root, where most of a search happens, lie together in the cache.
  const std::vector<uint16_t> order = trie.breadth_first();
  const size_t states = order.size();
  std::vector<uint16_t> rank(states, 0);
  for (size_t i = 0; i < states; ++i) rank[order[i]] = static_cast<uint16_t>(i);

  std::vector<uint16_t> suffix(states, 0);
  next_.assign(states * letters_, 0);
  owners_from_.assign(1, 0);
  for (size_t i = 0; i < states; ++i) {
    for (size_t letter = 0; letter < letters_; ++letter) {
      const uint16_t child = trie.child[order[i] * letters_ + letter];
      const uint16_t fallback = i == 0 ? uint16_t{0} : next_[suffix[i] * letters_ + letter];
      next_[i * letters_ + letter] = child == 0 ? fallback : rank[child];
      if (child != 0) suffix[rank[child]] = fallback;
    }
    // Whatever ends at its longest suffix ends here too.
    std::vector<uint16_t> owners = trie.owners[order[i]];
    if (i != 0) {
      const auto inherited = owners_at(suffix[i]);
      owners.insert(owners.end(), inherited.begin(), inherited.end());
    }
    std::ranges::sort(owners);
    owners.erase(std::unique(owners.begin(), owners.end()), owners.end());
    least_owner_.push_back(owners.empty() ? kNobody : owners.front());
    owners_.insert(owners_.end(), owners.begin(), owners.end());
    owners_from_.push_back(static_cast<uint32_t>(owners_.size()));
  }
}

}  // namespace watchpost::feedback
