#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace watchpost::feedback {

// Finds which of many phrases occur in a text, in one pass over it whatever their number
// (Aho and Corasick, 1975; all transitions worked out beforehand).
//   Use:     phrases with the number of their owner; owners are asked in any order of place.
//   Threads: immutable.
class PhraseSearch {
 public:
  static constexpr size_t kMostBytes = 60'000;  // of all phrases: states must fit 16 bits
  static constexpr uint16_t kNobody = 0xFFFF;

  // Phrases must not be empty and are valid UTF-8 (so never all 256 bytes occur); together at most
  // kMostBytes.
  explicit PhraseSearch(std::span<const std::pair<std::string, uint16_t>> phrases);

  // The smallest owner below `least` that has a phrase in `text` and whom `accepts` takes;
  // otherwise `least`. `accepts` is asked only about owners that would improve the answer.
  template <class Accepts>
  uint16_t first_owner(std::string_view text, uint16_t least, Accepts accepts) const {
    size_t state = 0;
    for (const char c : text) {
      state = next_[state * letters_ + letter_[static_cast<unsigned char>(c)]];
      if (least_owner_[state] >= least) [[likely]]
        continue;
      for (const uint16_t owner : owners_at(state)) {
        if (owner >= least) break;
        if (accepts(owner)) {
          least = owner;
          break;
        }
      }
    }
    return least;
  }

 private:
  std::span<const uint16_t> owners_at(size_t state) const {
    return std::span(owners_).subspan(owners_from_[state],
                                      owners_from_[state + 1] - owners_from_[state]);
  }

  std::array<uint8_t, 256> letter_{};  // byte -> column; bytes in no phrase share column 0
  size_t letters_ = 1;                 // columns
  std::vector<uint16_t> next_;         // [state * letters_ + letter]
  std::vector<uint16_t> least_owner_;  // of a state; kNobody where nothing ends here
  std::vector<uint32_t> owners_from_;  // into owners_, one more than there are states
  std::vector<uint16_t> owners_;       // ascending for each state
};

}  // namespace watchpost::feedback
