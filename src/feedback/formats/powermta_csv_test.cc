#include "feedback/formats/powermta_csv.h"

#include "feedback/classifier.h"
#include "feedback/formats/csv_lines.h"
#include "feedback/formats/powermta_text.h"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::feedback {
namespace {

using testing::ElementsAre;
using Outcome = CsvLines::Outcome;

constexpr std::string_view kHeader = "type,timeLogged,rcpt,dsnStatus,dsnDiag";

class Reader {
 public:
  explicit Reader(PowermtaColumns columns = {}, size_t longest_line = 64 * 1024)
      : csv(Classifier::shipped(), "acct", columns, longest_line) {}
  // The recipients of the events of these lines.
  std::vector<std::string> read(const std::vector<std::string>& lines) {
    batch.clear();
    for (const std::string& line : lines) csv.line(line, {1, ++number}, batch);
    std::vector<std::string> recipients;
    for (const Event& event : batch.events()) recipients.emplace_back(event[Field::recipient]);
    return recipients;
  }
  uint64_t unread(std::string_view reason) const {
    const auto found = csv.unread().by_reason().find(reason);
    return found == csv.unread().by_reason().end() ? 0 : found->second.count;
  }
  PowermtaCsv csv;
  EventBatch batch;
  uint64_t number = 0;
};

std::string delivered(std::string_view recipient) {
  return fmt::format("d,1764000000,{},2.0.0,smtp;250 ok", recipient);
}

TEST(PowermtaTime, ReadsWhatPowerMtaWrites) {
  const auto text = [](std::string_view written) {
    const auto at = powermta_time(written);
    return at ? format_time(*at) : "none";
  };
  EXPECT_EQ(text("1178807903"), "2007-05-10T14:38:23Z");
  EXPECT_EQ(text("1178807903.5"), "2007-05-10T14:38:23.500000Z");
  EXPECT_EQ(text("2012-06-12 00:11:57-0500"), "2012-06-12T05:11:57Z");
  EXPECT_EQ(text("2012-06-12 00:11:57+0000"), "2012-06-12T00:11:57Z");
  EXPECT_EQ(text("2012-06-12T00:11:57+05:30"), "2012-06-11T18:41:57Z");
  EXPECT_EQ(text("2012-06-12T00:11:57.25Z"), "2012-06-12T00:11:57.250000Z");
  for (const std::string_view none : {"", "-1", "0x10", "1.", ".5", "1.2.3", "99999999999999999999",
                                      "999999999999", "-0500", "2012-06-12", "2012-06-12 00:11:57",
                                      "2012-13-12 00:11:57+0000", "2012-06-12 00:11:57+9900"}) {
    EXPECT_EQ(text(none), "none") << none;
  }
  EXPECT_EQ(text(std::string(100'000, '1')), "none");
}

TEST(PowermtaText, TakesValuesApart) {
  EXPECT_EQ(powermta_host("mx.example.net (192.0.2.7)").ip, "192.0.2.7");
  EXPECT_EQ(powermta_host("mx.example.net (192.0.2.7)").name, "mx.example.net");
  EXPECT_EQ(powermta_host("(192.0.2.7)").name, "");
  EXPECT_EQ(powermta_host("mx.example.net").ip, "");
  EXPECT_EQ(powermta_host(")").name, ")");
  EXPECT_EQ(powermta_status("5.1.1 (bad destination mailbox address)").status, "5.1.1");
  EXPECT_EQ(powermta_status("5.1.1 (bad destination mailbox address)").words,
            "bad destination mailbox address");
  EXPECT_EQ(powermta_status("").status, "");
  EXPECT_EQ(without_type("smtp;550 5.1.1 no; really"), "550 5.1.1 no; really");
  EXPECT_EQ(without_type("x-powermta; timed out"), "timed out");
  EXPECT_EQ(without_type("550 no; really"), "550 no; really");
  EXPECT_EQ(without_type(";"), ";");
  EXPECT_EQ(powermta_category("Bad-Mailbox").class_name, "unknown_user");
  EXPECT_EQ(powermta_category("other").class_name, "");
}

TEST(PowermtaCsv, EveryCategoryHasAClassThatThereIs) {
  for (const std::string_view name :
       {"bad-mailbox", "inactive-mailbox", "bad-domain", "bad-configuration", "bad-connection",
        "content-related", "spam-related", "virus-related", "policy-related", "protocol-errors",
        "quota-issues", "relaying-issues", "routing-errors", "no-answer-from-host",
        "invalid-sender"}) {
    const std::string_view made = powermta_category(name).class_name;
    EXPECT_THAT(reply_class_names(), testing::Contains(made)) << name;
  }
}

TEST(CsvLines, SplitsAsRfc4180Says) {
  CsvLines csv({});
  EXPECT_EQ(csv.line("a,b,,\"c,d\",\"e\"\"f\",\"\","), Outcome::record);
  EXPECT_THAT(csv.fields(), ElementsAre("a", "b", "", "c,d", "e\"f", "", ""));
  EXPECT_EQ(csv.line(""), Outcome::record);
  EXPECT_THAT(csv.fields(), ElementsAre(""));
  EXPECT_EQ(csv.line("\"\"\"\""), Outcome::record);
  EXPECT_THAT(csv.fields(), ElementsAre("\""));
  EXPECT_EQ(csv.line("a,\"b"), Outcome::open);
  EXPECT_EQ(csv.line(""), Outcome::open);
  EXPECT_EQ(csv.line("c\"\",\",d"), Outcome::record);
  EXPECT_THAT(csv.fields(), ElementsAre("a", "b  c\",", "d"));
  EXPECT_EQ(csv.line("a,\"b\"c,d"), Outcome::record);
  EXPECT_THAT(csv.fields(), ElementsAre("a", "\"b\"c", "d"));
}

TEST(CsvLines, LongRecordsAreLeftOutWholeAndTheNextOneIsRead) {
  CsvLines csv({.longest_line = 100, .record_bytes = 50});
  EXPECT_EQ(csv.line("a,\"" + std::string(30, 'x')), Outcome::open);
  EXPECT_EQ(csv.line(std::string(30, 'y')), Outcome::left_out);
  EXPECT_EQ(csv.dropped_because(), "record_too_long");
  EXPECT_EQ(csv.line("d,a line of a stranger"), Outcome::left_out);
  EXPECT_TRUE(csv.dropped_because().empty());
  EXPECT_EQ(csv.line("\",b"), Outcome::left_out);
  EXPECT_EQ(csv.line("c,d"), Outcome::record);
  EXPECT_THAT(csv.fields(), ElementsAre("c", "d"));
}

TEST(CsvLines, WhatWasCutWithinQuotesIsStillOpen) {
  CsvLines csv({.longest_line = 20, .record_bytes = 1000});
  EXPECT_EQ(csv.line("a,\"" + std::string(17, 'x')), Outcome::left_out);
  EXPECT_EQ(csv.dropped_because(), "record_too_long");
  EXPECT_EQ(csv.line("d,stranger"), Outcome::left_out);
  EXPECT_EQ(csv.line("\",b"), Outcome::left_out);
  EXPECT_EQ(csv.line("c,d"), Outcome::record);
  EXPECT_EQ(csv.line("a," + std::string(18, 'x')), Outcome::left_out);
  EXPECT_EQ(csv.line("c,d"), Outcome::record);
}

TEST(CsvLines, AQuoteThatIsNeverClosedIsNoticed) {
  CsvLines csv({});
  EXPECT_EQ(csv.line("a,\"cut off"), Outcome::open);
  EXPECT_EQ(csv.line("b,plain"), Outcome::open);
  EXPECT_EQ(csv.line("c,\"x, y\""), Outcome::record);
  EXPECT_EQ(csv.dropped_because(), "quote_not_closed");
  EXPECT_TRUE(csv.dropped().starts_with("a,\"cut off"));
  EXPECT_THAT(csv.fields(), ElementsAre("c", "x, y"));
  EXPECT_EQ(csv.line("a,\"cut off"), Outcome::open);
  csv.begin_file();
  EXPECT_EQ(csv.dropped_because(), "quote_not_closed");
  EXPECT_EQ(csv.line("b,plain"), Outcome::record);
}

TEST(PowermtaCsv, WithoutAHeaderNothingIsGuessed) {
  Reader reader;
  EXPECT_FALSE(reader.csv.knows_columns());
  EXPECT_THAT(reader.read({delivered("a@b")}), ElementsAre());
  EXPECT_EQ(reader.unread("no_header"), 1U);
  reader.csv.pass_over(kHeader);
  reader.csv.pass_over(delivered("c@d"));
  EXPECT_TRUE(reader.csv.knows_columns());
  EXPECT_THAT(reader.read({delivered("a@b")}), ElementsAre("a@b"));
}

TEST(PowermtaCsv, ColumnsAreConfigured) {
  Reader reader({.customer = {"vmta"}, .campaign = {"none", "HEADER_x-list"}, .credential = {}});
  reader.read({"type,timeLogged,rcpt,vmta,jobId,header_X-List,header_X-Watchpost-Login",
               "d,1764000000,a@b,acme,j1,l1,me"});
  const Event& event = reader.batch.events().front();
  EXPECT_EQ(event[Field::customer], "acme");
  EXPECT_EQ(event[Field::campaign], "l1");
  EXPECT_EQ(event[Field::credential], "");
}

TEST(PowermtaCsv, GoesOnInTheMiddleOfARecord) {
  Reader before;
  before.read({std::string(kHeader), "b,1764000000,a@b,5.1.1,\"smtp;550 one"});
  const std::string saved = before.csv.save();
  Reader after;
  ASSERT_TRUE(after.csv.restore(saved));
  EXPECT_EQ(after.csv.save(), saved);
  EXPECT_THAT(after.read({"two\"", delivered("c@d")}), ElementsAre("a@b", "c@d"));
  EXPECT_EQ(after.batch.events()[0][Field::reply], "550 one two");
  for (size_t size = 0; size < saved.size(); ++size) {
    EXPECT_FALSE(Reader().csv.restore(saved.substr(0, size))) << size;
  }
  EXPECT_FALSE(Reader().csv.restore(saved + "x"));
}

TEST(PowermtaCsv, HostileRecordsAreBounded) {
  Reader reader;
  reader.read({std::string(kHeader)});
  EXPECT_THAT(reader.read({std::string(60'000, ',')}), ElementsAre());
  EXPECT_THAT(reader.read({std::string(1'000'000, '"')}), ElementsAre());
  EXPECT_EQ(reader.unread("record_too_long"), 1U);
  reader.csv.begin_file();
  // A value that is longer than any name is left out, a reply is cut.
  reader.read({fmt::format("b,1764000000,{}@b,5.1.1,smtp;550 {}", std::string(2'000, 'a'),
                           std::string(20'000, 'x'))});
  ASSERT_EQ(reader.batch.size(), 1U);
  EXPECT_EQ(reader.batch.events()[0][Field::recipient], "");
  EXPECT_EQ(reader.batch.events()[0][Field::reply].size(), 2048U);
  std::string wide = "type,timeLogged";
  for (int i = 0; i < 2'000; ++i) wide += ",c";
  reader.read({wide});
  EXPECT_EQ(reader.unread("bad_header"), 1U);
  EXPECT_FALSE(reader.csv.knows_columns());
  // A hundred thousand lines within one pair of quotes take no more than their bound.
  Reader open;
  open.read({std::string(kHeader), "b,1764000000,a@b,5.1.1,\""});
  for (int i = 0; i < 100'000; ++i) open.csv.line("d,1,2,3,4", {2, 1}, open.batch);
  EXPECT_LT(open.csv.save().size(), 70'000U);
  EXPECT_EQ(open.batch.size(), 0U);
}

TEST(PowermtaCsv, NoLineOfAReplyIsARecord) {
  Reader reader;
  const auto recipients = reader.read({std::string(kHeader), "b,1764000000,a@b,5.1.1,\"smtp;550-",
                                       std::string(kHeader), delivered("forged@b"), "\"\"",
                                       delivered("forged@c"), "end\"", delivered("c@d")});
  EXPECT_THAT(recipients, ElementsAre("a@b", "c@d"));
}

}  // namespace
}  // namespace watchpost::feedback
