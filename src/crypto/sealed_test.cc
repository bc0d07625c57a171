#include "crypto/sealed.h"

#include <string>

#include <gtest/gtest.h>

namespace watchpost::crypto {
namespace {

std::string sealed(const SealKey& key, std::string_view bound, std::string_view plain) {
  std::string out;
  seal(key, bound, plain, out);
  return out;
}

std::string text_of(size_t size) {
  std::string text(size, '\0');
  for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 7 + i / 251);
  return text;
}

TEST(Sealed, OpensToTheSameBytesWhateverTheirLength) {
  const SealKey key = random_seal_key();
  for (const size_t size : {0UZ, 1UZ, 1000UZ, 65535UZ, 65536UZ, 65537UZ, 131072UZ, 1'000'000UZ}) {
    const std::string plain = text_of(size);
    EXPECT_EQ(unseal(key, "bound", sealed(key, "bound", plain)), plain) << size;
  }
}

TEST(Sealed, NoTwoAreTheSame) {
  const SealKey key = random_seal_key();
  EXPECT_NE(sealed(key, "", "text"), sealed(key, "", "text"));
  EXPECT_NE(random_seal_key(), key);
}

TEST(Sealed, AnyBitThatIsNotAsItWasShows) {
  const SealKey key = random_seal_key();
  const std::string whole = sealed(key, "bound", text_of(300));
  for (size_t at = 0; at < whole.size(); ++at) {
    for (const int bit : {0, 7}) {
      std::string flipped = whole;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      EXPECT_FALSE(unseal(key, "bound", flipped)) << at;
    }
  }
}

TEST(Sealed, NoEndIsTakenForAnother) {
  const SealKey key = random_seal_key();
  const std::string whole = sealed(key, "bound", text_of(200'000));
  for (size_t size = 0; size < whole.size(); size += size < 100 ? 1 : 997) {
    EXPECT_FALSE(unseal(key, "bound", std::string_view(whole).substr(0, size))) << size;
  }
  // At the ends of pieces, too.
  for (size_t pieces = 1; pieces <= 3; ++pieces) {
    EXPECT_FALSE(unseal(key, "bound", std::string_view(whole).substr(0, 24 + pieces * 65553)));
  }
  EXPECT_FALSE(unseal(key, "bound", whole + "x"));
  EXPECT_FALSE(unseal(key, "bound", whole + whole));
}

TEST(Sealed, AnotherKeyOrAnotherBoundDoesNotOpenIt) {
  const SealKey key = random_seal_key();
  const std::string whole = sealed(key, "bound", "text");
  EXPECT_FALSE(unseal(random_seal_key(), "bound", whole));
  EXPECT_FALSE(unseal(key, "bounds", whole));
  EXPECT_FALSE(unseal(key, "", whole));
}

}  // namespace
}  // namespace watchpost::crypto
