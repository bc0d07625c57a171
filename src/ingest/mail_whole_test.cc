#include "ingest/mail_whole.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace watchpost::ingest {
namespace {

constexpr std::string_view kReport =
    "From: a@example.com\nContent-Type: multipart/report;\n boundary=\"b=1\"\n\n"
    "--b=1\n\ntext\n--b=1\n\nmore\n--b=1--\n";

TEST(Wholeness, OfAMultipartIsItsClosing) {
  EXPECT_EQ(wholeness_of(kReport), Wholeness::whole);
  EXPECT_EQ(wholeness_of(std::string(kReport) + "\n"), Wholeness::whole);
  const std::string postmarked =
      "From MAILER-DAEMON Tue Nov 24 03:00:01 2026\n" + std::string(kReport);
  EXPECT_EQ(wholeness_of(postmarked), Wholeness::whole);
  // Wherever behind the header it is cut.
  for (size_t size = kReport.find("--b=1"); size < kReport.size() - 1; ++size) {
    EXPECT_EQ(wholeness_of(kReport.substr(0, size)), Wholeness::open) << size;
  }
  EXPECT_EQ(wholeness_of(std::string(kReport) + "behind it"), Wholeness::open);
}

TEST(Wholeness, AnInnerClosingIsNone) {
  EXPECT_EQ(wholeness_of("Content-Type: multipart/mixed; boundary=out\n\n--out\n"
                         "Content-Type: multipart/report; boundary=in\n\n--in\n\nx\n--in--\n"),
            Wholeness::open);
  EXPECT_EQ(wholeness_of("Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx --b--\n"),
            Wholeness::open);
}

TEST(Wholeness, OfATextNobodyKnows) {
  EXPECT_EQ(wholeness_of("Subject: x\n\nHi. This is the mail system.\n"), Wholeness::unknown);
  EXPECT_EQ(wholeness_of("Subject: x\nContent-Type: text/plain\n\nHi.\n"), Wholeness::unknown);
  EXPECT_EQ(wholeness_of("Content-Type: multipart/mixed\n\nno boundary"), Wholeness::unknown);
  EXPECT_EQ(wholeness_of(""), Wholeness::unknown);
  EXPECT_EQ(wholeness_of("From "), Wholeness::unknown);
}

TEST(Wholeness, OfALengthThatIsNamed) {
  EXPECT_EQ(wholeness_of("Content-Length: 4\n\nHi.\n"), Wholeness::whole);
  EXPECT_EQ(wholeness_of("Content-Length: 4\n\nHi.\n\n"), Wholeness::whole);
  EXPECT_EQ(wholeness_of("Content-Length: 40\n\nHi.\n"), Wholeness::open);
  EXPECT_EQ(wholeness_of("Content-Length: 2\n\nHi.\n"), Wholeness::unknown);
  EXPECT_EQ(wholeness_of("Content-Length: x\n\nHi.\n"), Wholeness::unknown);
}

}  // namespace
}  // namespace watchpost::ingest
