#include "base/ascii.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

namespace watchpost {
namespace {

// Each byte at each place of texts that are shorter and longer than a word.
TEST(Ascii, SaysOfAllBytesWhatIsSoOfEach) {
  for (size_t size = 0; size <= 26; ++size) {
    for (size_t at = 0; at < std::max<size_t>(size, 1); ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string text(size, 'm');
        if (at < size) text[at] = static_cast<char>(byte);
        const bool upper = std::ranges::any_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
        const bool printable =
            std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
        ASSERT_EQ(has_upper(text), upper) << "byte " << byte << " at " << at << " of " << size;
        ASSERT_EQ(is_printable(text), printable)
            << "byte " << byte << " at " << at << " of " << size;
      }
    }
  }
}

TEST(Ascii, FindsTheFirstOfSeveral) {
  for (size_t size = 0; size <= 20; ++size) {
    for (size_t first = 0; first < size; ++first) {
      for (size_t second = first; second < size; ++second) {
        std::string text(size, 'Z');  // one below '['
        text[second] = ' ';
        text[first] = '[';
        for (size_t from = 0; from <= size + 1; ++from) {
          const size_t at = std::min(text.find_first_of("[: ", from), size);
          ASSERT_EQ((find_any<'[', ':', ' '>(text, from)), at) << text << " from " << from;
        }
      }
    }
    EXPECT_EQ(find_any<'='>(std::string(size, '<')), size);
  }
}

TEST(Ascii, LowersLettersAndNothingElse) {
  for (int byte = 0; byte < 256; ++byte) {
    const auto c = static_cast<uint8_t>(byte);
    const uint8_t small = c >= 'A' && c <= 'Z' ? static_cast<uint8_t>(c - 'A' + 'a') : c;
    EXPECT_EQ(lanes::lower(lanes::kOnes * c), lanes::kOnes * small) << byte;
    EXPECT_EQ(lanes::lower(uint64_t{c} << 8), uint64_t{small} << 8) << byte;
  }
}

// A byte does not hide its neighbour, whatever is carried over.
TEST(Ascii, PairsOfBytes) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      std::string text("mmmmmmmm");
      text[3] = static_cast<char>(first);
      text[4] = static_cast<char>(second);
      const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
      const auto is_plain = [](char c) { return c >= ' ' && c <= '~'; };
      ASSERT_EQ(has_upper(text), std::ranges::any_of(text, is_upper)) << first << ' ' << second;
      ASSERT_EQ(is_printable(text), std::ranges::all_of(text, is_plain)) << first << ' ' << second;
    }
  }
}

}  // namespace
}  // namespace watchpost
