#include "suppress/csv.h"

#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::suppress {
namespace {

const Time kNoon = *parse_time("2026-11-24T12:00:00Z");

CsvRead read(std::string_view text, const CsvDefaults& defaults = {}) {
  return read_csv(text, defaults, kNoon);
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
  const CsvRead got = read("\x1b[31m\xff,\na@x.example,,\x1b]0;\n");
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
  const CsvRead got = read(csv_header() + csv_line(one));
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
        "a@x.example\tacme", "a@x_y", "a@x..example", "a@[192.0.2.1]", "a@x.example)",
        "a@x\xff.example", "a\"b@x.example"}) {
    const CsvRead got = read(std::string(bad) + "\nz@x.example\n");
    EXPECT_EQ(got.faults.size(), 1U) << bad;
    EXPECT_EQ(got.rows.size(), 1U) << bad;
  }
}

TEST(Csv, OtherSeparatorsAreNamed) {
  const CsvRead got = read("email;reason\na@x.example;complaint\nb@x.example\tcomplaint\n");
  EXPECT_TRUE(got.rows.empty());
  ASSERT_EQ(got.faults.size(), 3U);
  for (const size_t line : {1U, 2U}) {
    EXPECT_THAT(got.faults[line].what, testing::HasSubstr("only commas are read"));
  }
}

TEST(Csv, NothingIsAFormulaToASpreadsheet) {
  for (const char* const text : {"=1+1", "+1", "-1", "@x", "'=1", "''@x", "' -1"}) {
    const Suppression one{.recipient = "+a@x.example", .customer = text, .note = text};
    const std::string line = csv_line(one);
    EXPECT_TRUE(line.starts_with("'+a@x.example,'")) << line;
    const CsvRead got = read(csv_header() + line);
    ASSERT_EQ(got.rows.size(), 1U) << line;
    EXPECT_EQ(got.rows[0].recipient, one.recipient);
    EXPECT_EQ(got.rows[0].customer, text);
    EXPECT_EQ(got.rows[0].note, text);
  }
  EXPECT_THAT(csv_line({.recipient = "o'neil@x.example", .note = "a-b"}),
              testing::StartsWith("o'neil@x.example,,by_hand,,a-b"));
}

}  // namespace
}  // namespace watchpost::suppress
