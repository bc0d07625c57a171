#include "border/inbound/cut_header.h"

#include "mime/message.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace watchpost::border {
namespace {

bool goes_on(const std::string& text) {
  return header_goes_on_in_body(text, mime::Message::read(text).header());
}

// As Postfix hands on what begins with a line that is no field.
constexpr std::string_view kCut =
    "Date: Sun, 29 Nov 2026 07:00:00 +0000\r\nFrom: x@attack.example\r\n";

TEST(CutHeader, TheRestOfAHeaderInTheBodyIsSeen) {
  for (const std::string_view rest :
       {" From: <a@attack.example>\r\nFrom: <chief@bank.example>\r\nTo: "
        "<you@example>\r\n\r\nHi\r\n",
        "From\r\n : <a@attack.example>\r\nFrom: <chief@bank.example>\r\n\r\nHi\r\n",
        "From : <chief@bank.example>\r\n", "X: y\r\nfrom: <chief@bank.example>"}) {
    EXPECT_TRUE(goes_on(std::string(kCut) + "\r\n" + std::string(rest))) << rest;
  }
}

TEST(CutHeader, GenuineMailMayQuoteHeaders) {
  const std::string quoted = "\r\nFrom: <jo@shop.example>\r\nTo: <you@example>\r\n\r\nHi\r\n";
  EXPECT_FALSE(goes_on(std::string(kCut) + "Subject: fwd\r\n" + quoted));
  EXPECT_FALSE(goes_on(std::string(kCut) + "To: <you@example>\r\n" + quoted));
  EXPECT_FALSE(goes_on(std::string(kCut) + "\r\n\r\nFrom: <jo@shop.example>\r\n"));
  EXPECT_FALSE(goes_on(std::string(kCut) + "\r\nFrom here on all is well.\r\n"));
}

TEST(CutHeader, IsTotal) {
  for (const std::string_view text :
       {"", "\r\n", "\r\n\r\n", "From", "A: b\r\n\r\n\r\n", "\r\n\r\nX"}) {
    EXPECT_FALSE(goes_on(std::string(text))) << text;
  }
  std::string far = std::string(kCut) + "\r\n";
  for (int line = 0; line < 100; ++line) far += "a line\r\n";
  EXPECT_FALSE(goes_on(far + "From: <chief@bank.example>\r\n"));
}

}  // namespace
}  // namespace watchpost::border
