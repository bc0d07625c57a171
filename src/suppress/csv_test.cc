#include "suppress/csv.h"

#include "suppress/csv_records.h"

#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::suppress {
namespace {

const Time kNoon = *parse_time("2026-11-24T12:00:00Z");

CsvRead read(std::string_view text, const CsvOptions& options = {}) {
  auto got = read_csv(text, options, kNoon);
  EXPECT_TRUE(got) << got.error().what;
  return got.value_or(CsvRead{});
}

// Why all of it is refused; empty: it is not.
std::string refusal(std::string_view text) {
  const auto got = read_csv(text, {}, kNoon);
  return got ? "" : got.error().what;
}

TEST(Csv, ReadsAListOfAddresses) {
  const CsvRead got = read("a@x.example\nB@X.example\r\n\n c@x.example ", {.customer = "acme"});
  EXPECT_TRUE(got.faults.empty());
  ASSERT_EQ(got.rows.size(), 3U);
  EXPECT_EQ(got.rows[1].recipient, "b@x.example");
  EXPECT_EQ(got.rows[2].recipient, "c@x.example");
  EXPECT_EQ(got.rows[2].customer, "acme");
  EXPECT_EQ(got.rows[2].reason, SuppressionReason::imported);
  EXPECT_FALSE(got.rows[2].until);
}

TEST(Csv, ReadsAllColumns) {
  const CsvRead got = read(
      "a@x.example,acme,complaint,2027-01-02,\"a, \"\"b\"\"\nc\"\n"
      "b@x.example,,,90d,\n");
  EXPECT_TRUE(got.faults.empty());
  ASSERT_EQ(got.rows.size(), 2U);
  EXPECT_EQ(got.rows[0].customer, "acme");
  EXPECT_EQ(got.rows[0].reason, SuppressionReason::complaint);
  EXPECT_EQ(got.rows[0].until, parse_time("2027-01-02T00:00:00Z"));
  EXPECT_EQ(got.rows[0].note, "a, \"b\"\nc");
  EXPECT_EQ(got.rows[1].until, kNoon + std::chrono::days(90));
}

TEST(Csv, AFirstLineMayNameTheColumns) {
  const CsvRead got =
      read("\xEF\xBB\xBFReason,EmailAddress,Seen\nunsubscribe,a@x.example,yesterday\n");
  EXPECT_TRUE(got.faults.empty());
  ASSERT_EQ(got.rows.size(), 1U);
  EXPECT_EQ(got.rows[0].recipient, "a@x.example");
  EXPECT_EQ(got.rows[0].reason, SuppressionReason::unsubscribe);
}

TEST(Csv, BadLinesAreNamedAndNothingElseIsLost) {
  const CsvRead got = read(
      "a@x.example\n"
      "nobody\n"                         // 2
      "b@x.example,acme,because\n"       // 3
      "c@x.example,,,yesterday\n"        // 4
      "d@x.example,,,2020-01-01\n"       // 5
      "\"e@x.example\" x\n"              // 6
      "\"f@x.example\n"                  // 7
      "g@x.example,,,,\"two\nlines\"\n"  // 8 and 9
      "h@x.example,,,," +
      std::string(1001, 'n') + "\n" +                  // 10
      "i@x.example," + std::string(256, 'c') + "\n" +  // 11
      "j@x.example");
  std::vector<uint64_t> lines;
  for (const CsvFault& fault : got.faults) lines.push_back(fault.line);
  EXPECT_THAT(lines, testing::ElementsAre(2, 3, 4, 5, 6, 7, 10, 11));
  std::vector<std::string> recipients;
  for (const Suppression& row : got.rows) recipients.push_back(row.recipient);
  EXPECT_THAT(recipients, testing::ElementsAre("a@x.example", "g@x.example", "j@x.example"));
}

TEST(Csv, FaultsHoldNoRawBytes) {
  EXPECT_EQ(refusal("\x1b[31m\xff,\n").find('\x1b'), std::string::npos);
  const CsvRead got = read("z@x.example\n\x1b[31m\xff,\na@x.example,,\x1b]0;\n");
  ASSERT_EQ(got.faults.size(), 2U);
  for (const CsvFault& fault : got.faults) {
    EXPECT_EQ(fault.what.find('\x1b'), std::string::npos) << fault.what;
  }
}

TEST(Csv, WhatIsWrittenIsReadAgain) {
  const Suppression one{.recipient = "a@x.example",
                        .customer = "acme, \"inc\"",
                        .reason = SuppressionReason::complaint,
                        .note = "two\nlines, \"quoted\"",
                        .until = kNoon + 1h};
  const CsvRead got = read(csv_header() + csv_line(one, kNoon));
  ASSERT_EQ(got.rows.size(), 1U);
  EXPECT_EQ(got.rows[0].recipient, one.recipient);
  EXPECT_EQ(got.rows[0].customer, one.customer);
  EXPECT_EQ(got.rows[0].reason, one.reason);
  EXPECT_EQ(got.rows[0].until, one.until);
  EXPECT_EQ(got.rows[0].note, one.note);
}

TEST(Csv, ARecipientIsOneAddress) {
  const std::string good =
      "a@x.example\n\"\"\"a;b@c\"\"@x.example\"\nb@b\xc3\xbc"
      "cher.example\n<c@x-1.example>\n";
  EXPECT_EQ(read(good).rows.size(), 4U);
  EXPECT_TRUE(read(good).faults.empty());
  for (const char* const bad :
       {"a@b@x.example", "a@x.example;b@y.example", "a;b@x.example", "a@x.example;acme;complaint",
        "a@x.example\tacme", "a@x y", "a@x..example", "a@[192.0.2.1]", "a@x.example)",
        "a@x\xff.example", "a\"b@x.example"}) {
    const CsvRead got = read("z@x.example\n" + std::string(bad) + "\n");
    EXPECT_EQ(got.faults.size(), 1U) << bad;
    EXPECT_EQ(got.rows.size(), 1U) << bad;
  }
}

TEST(Csv, OtherSeparatorsAreNamed) {
  EXPECT_THAT(refusal("email;reason\na@x.example;complaint\n"),
              testing::HasSubstr("only commas are read"));
  const CsvRead got = read("z@x.example\na@x.example;complaint\nb@x.example\tcomplaint\n");
  ASSERT_EQ(got.faults.size(), 2U);
  for (const CsvFault& fault : got.faults) {
    EXPECT_THAT(fault.what, testing::HasSubstr("only commas are read"));
  }
}

TEST(Csv, HeadingsOfOthersAreUnderstood) {
  struct Case {
    const char* text;
    SuppressionReason reason;
    const char* note;
  };
  using enum SuppressionReason;
  for (const Case& one : {
           Case{"Email Address,First Name,Last Name,Address\na@x.example,Jo,Doe,1 Road", imported,
                ""},
           Case{"Address,E-Mail\n\"1 Road, b@y.example\",a@x.example", imported, ""},
           Case{"Email Address,Reason,Last updated\na@x.example,BOUNCE,2024", hard_bounce, ""},
           Case{"created,email,reason\n1443651125,a@x.example,550 no such user", imported,
                "550 no such user"},
           Case{"email-address,Reason,note\na@x.example,why,because", imported, "because; why"},
           Case{"\n \nreason,recipient\nSpam Report,a@x.example", complaint, ""},
           Case{"\"first\nname\",email,reason\nJo,a@x.example,Unsubscribed", unsubscribe, ""},
           Case{"email,email\na@x.example,b@x.example", imported, ""},
       }) {
    const CsvRead got = read(one.text);
    EXPECT_TRUE(got.faults.empty()) << one.text;
    ASSERT_EQ(got.rows.size(), 1U) << one.text;
    EXPECT_EQ(got.rows[0].recipient, "a@x.example");
    EXPECT_EQ(got.rows[0].customer, "") << one.text;
    EXPECT_EQ(got.rows[0].reason, one.reason) << one.text;
    EXPECT_EQ(got.rows[0].note, one.note);
  }
  const CsvRead long_reason = read("email,reason\na@x.example," + std::string(5000, 'r'));
  ASSERT_EQ(long_reason.rows.size(), 1U);
  EXPECT_LE(long_reason.rows[0].note.size(), 1000U);
}

TEST(Csv, AFirstLineThatSaysNothingRefusesAll) {
  for (const char* const text :
       {"Name,Mailbox\nJo,a@x.example\n", "Jo,a@x.example\n", "nobody\na@x.example\n",
        "\"a@x.example\" x\nb@x.example\n", "\"a@x.example\nb@x.example\n"}) {
    EXPECT_THAT(refusal(text), testing::HasSubstr("line 1: ")) << text;
  }
  EXPECT_THAT(refusal(std::string("\xFF\xFE"
                                  "a\0@\0x\0",
                                  8)),
              testing::HasSubstr("UTF-16"));
  EXPECT_THAT(refusal(std::string("e\0m\0\n\0", 6)), testing::HasSubstr("UTF-16"));
  EXPECT_THAT(refusal("email\ra@x.example\r"), testing::HasSubstr("CR alone"));
  EXPECT_EQ(refusal(""), "");
  EXPECT_EQ(refusal("\n"), "");
}

TEST(Csv, ACustomerIsNoSecondAddress) {
  const CsvRead got = read("a@x.example,b@x.example\nc@x.example,acme\x07\n");
  EXPECT_EQ(got.faults.size(), 2U);
  EXPECT_TRUE(got.rows.empty());
  EXPECT_EQ(read("email,customer\na@x.example,b@x.example\n").rows.size(), 1U);
}

TEST(Csv, APieceOfAListHasTheColumnsOfItsBeginning) {
  const std::string heading = "id,email,reason\n";
  const CsvRead first = read(heading + "1,a@x.example,spam\n");
  EXPECT_EQ(text_of(first.columns), ",recipient,reason");
  const CsvRead next = read("2,b@x.example,spam\n", {.columns = text_of(first.columns)});
  ASSERT_EQ(next.rows.size(), 1U);
  EXPECT_EQ(next.rows[0].recipient, "b@x.example");
  EXPECT_EQ(next.rows[0].reason, SuppressionReason::complaint);
  // Nothing is a heading any more, and what no heading named is as strict as before.
  const CsvRead plain = read("a@x.example\n");
  EXPECT_EQ(text_of(plain.columns), "usual");
  EXPECT_EQ(read("email\nb@x.example,,why\n", {.columns = "usual"}).faults.size(), 2U);
  EXPECT_FALSE(read_csv("a@x.example", {.columns = "customer"}, kNoon));
}

TEST(Csv, WhatIsOverIsNotTakenAgain) {
  Suppression lifted{.recipient = "a@x.example", .lifted = true};
  Suppression ended{.recipient = "b@x.example", .until = kNoon};
  const CsvRead got = read(csv_header() + csv_line(lifted, kNoon) + csv_line(ended, kNoon) +
                           csv_line({.recipient = "c@x.example"}, kNoon));
  EXPECT_EQ(got.over, 2U);
  EXPECT_TRUE(got.faults.empty());
  EXPECT_EQ(got.rows.size(), 1U);
  EXPECT_EQ(read("email,state\na@x.example,CA\n").rows.size(), 1U);
}

// Wherever a list is cut, its pieces are read as the whole is.
TEST(Csv, PiecesAreWholeRecords) {
  const std::string text =
      "a@x.example,,,,it is 5\" long\nb@x.example,,,,\"two\nlines, \"\"quoted\"\"\"\r\n"
      "c@x.example,,,,\"open\nd@x.example\n\n\"e@x.example\"\n" +
      std::string(70'000, 'x') + "\nf@x.example,,,\n\"g@x.example\" x\nh@x.example";
  const auto names = [](std::string_view part, std::string& into) {
    for (const Suppression& one : read(part, {.columns = "usual"}).rows) {
      into += one.recipient + "|" + one.note + "\n";
    }
  };
  std::string whole;
  names(text, whole);
  EXPECT_THAT(whole, testing::HasSubstr("two\nlines"));
  for (size_t cut = 0; cut < text.size(); cut += cut > 200 && cut < 70'000 ? 997 : 1) {
    const size_t size = whole_records(std::string_view(text).substr(0, cut));
    ASSERT_LE(size, cut);
    std::string both;
    names(std::string_view(text).substr(0, size), both);
    names(std::string_view(text).substr(size), both);
    ASSERT_EQ(both, whole) << "cut at " << cut;
  }
  EXPECT_EQ(whole_records("a@x.example\nb@x.example"), 12U);
}

TEST(Csv, NothingIsAFormulaToASpreadsheet) {
  for (const char* const text : {"=1+1", "+1", "-1", "@x", "'=1", "''@x", "' -1"}) {
    const Suppression one{.recipient = "+a@x.example", .customer = text, .note = text};
    const std::string line = csv_line(one, kNoon);
    EXPECT_TRUE(line.starts_with("'+a@x.example,'")) << line;
    const CsvRead got = read(csv_header() + line);
    ASSERT_EQ(got.rows.size(), 1U) << line;
    EXPECT_EQ(got.rows[0].recipient, one.recipient);
    EXPECT_EQ(got.rows[0].customer, text);
    EXPECT_EQ(got.rows[0].note, text);
  }
  EXPECT_THAT(csv_line({.recipient = "o'neil@x.example", .note = "a-b"}, kNoon),
              testing::StartsWith("o'neil@x.example,,by_hand,,a-b"));
}

}  // namespace
}  // namespace watchpost::suppress
