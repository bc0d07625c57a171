#include "crypto/base64.h"

#include <gtest/gtest.h>

namespace watchpost::crypto {
namespace {

TEST(Base64, KnownTexts) {  // RFC 4648 section 10
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
}

TEST(Base64, ReadsWhatItWrites) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(from_base64(base64(bytes)), bytes) << bytes.size();
    bytes += static_cast<char>(i * 7);
  }
}

TEST(Base64, BlanksAndFoldsAreSkipped) {
  EXPECT_EQ(from_base64(" Zm\r\n\t9v "), "foo");
  EXPECT_EQ(from_base64("Zg= ="), "f");
}

TEST(Base64, MissingPaddingIsNoFault) {
  EXPECT_EQ(from_base64("Zg"), "f");
  EXPECT_EQ(from_base64("Zm8"), "fo");
}

TEST(Base64, RefusesTheRest) {
  for (const char* text :
       {"Z", "Zm9vY", "Zg===", "Zm9v=", "Zg==Zg==", "Zm-v", "Zm8==", "=", "Zm\x80v"}) {
    EXPECT_EQ(from_base64(text), std::nullopt) << text;
  }
  EXPECT_EQ(from_base64(std::string_view("Zm\0v", 4)), std::nullopt);
}

}  // namespace
}  // namespace watchpost::crypto
