#include "detect/packed_text.h"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace watchpost::detect {
namespace {

TEST(PackedText, ALoginTakesTwoThirds) {
  EXPECT_EQ(packed_size("user1234567@customer123.example"), 22U);
  EXPECT_EQ(packed_size("User+1@customer.example"), 24U) << "as it is";
  EXPECT_EQ(packed_size(""), 1U);
}

TEST(PackedText, AllTextsComeBack) {
  std::mt19937 random(1);
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyz0123456789.-_@";
  std::vector<std::string> texts{"", "a", "ab", "abc", "@@@@", std::string(1, '\0')};
  for (size_t size = 0; size <= 1024; size += size < 140 ? 1 : 13) {
    std::string plain;
    std::string any;
    for (size_t i = 0; i < size; ++i) {
      plain += kPlain[random() % kPlain.size()];
      any += static_cast<char>(random());
    }
    texts.push_back(plain);
    texts.push_back(any);
  }
  size_t size = 0;
  size_t unpacked = 0;
  for (const std::string& text : texts) {
    size += packed_size(text);
    unpacked += text.size();
  }
  std::vector<std::byte> bytes(size);
  std::byte* to = bytes.data();
  for (const std::string& text : texts) to = pack(text, to);
  ASSERT_EQ(to, bytes.data() + size);
  std::string room(unpacked, '\0');
  const std::byte* from = bytes.data();
  char* at = room.data();
  for (const std::string& text : texts) {
    ASSERT_EQ(packed_bytes(from), packed_size(text));
    ASSERT_EQ(unpack(from, at), text);
  }
  EXPECT_EQ(from, bytes.data() + size);
}

}  // namespace
}  // namespace watchpost::detect
