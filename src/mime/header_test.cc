#include "mime/header.h"

#include <string>

#include <gmock/gmock.h>

namespace watchpost::mime {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Read {
  std::string text;
  Findings findings;
  Header header;
  explicit Read(std::string bytes, Bounds bounds = {}, size_t begin = 0) : text(std::move(bytes)) {
    header = Header::read(text, begin, bounds, findings);
  }
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const Field& field : header.fields()) names.emplace_back(field.name);
    return names;
  }
  std::vector<std::string> defects() const {
    std::vector<std::string> found;
    for (const Finding& one : findings.all()) {
      found.push_back(std::string(name_of(one.what)) + "@" + std::to_string(one.at));
    }
    return found;
  }
};

TEST(Header, KeepsTheExactBytes) {
  const Read read("From: a@example.org\r\nSUBJECT :  two\r\n\tlines \r\nTo:\r\n\r\nbody");
  ASSERT_THAT(read.names(), ElementsAre("From", "SUBJECT", "To"));
  const auto fields = read.header.fields();
  EXPECT_EQ(fields[0].raw, "From: a@example.org\r\n");
  EXPECT_EQ(fields[0].body, " a@example.org");
  EXPECT_EQ(fields[1].raw, "SUBJECT :  two\r\n\tlines \r\n");
  EXPECT_EQ(fields[1].body, "  two\r\n\tlines ");
  EXPECT_EQ(fields[2].raw, "To:\r\n");
  EXPECT_EQ(fields[2].body, "");
  EXPECT_EQ(read.text.substr(read.header.size()), "body");
  EXPECT_THAT(read.defects(), ElementsAre("bad_field_name@21"));
}

TEST(Header, FindsByNameInAnyCase) {
  const Read read("Received: one\nX-Tag: a\nreceived: two\n\n");
  EXPECT_EQ(read.header.text("x-TAG"), "a");
  EXPECT_EQ(read.header.text("RECEIVED"), "one");
  EXPECT_EQ(read.header.count("Received"), 2u);
  ASSERT_EQ(read.header.all("received").size(), 2u);
  EXPECT_EQ(read.header.all("received")[1]->body, " two");
  EXPECT_EQ(read.header.find("X-Tags"), nullptr);
  EXPECT_EQ(read.header.text(""), std::nullopt);
  EXPECT_THAT(read.defects(), IsEmpty());
}

TEST(Header, UndoesFolds) {
  EXPECT_EQ(unfolded(" a\r\n b"), "a b");
  EXPECT_EQ(unfolded("\r\n\ta\n  b \r\n "), "a  b");
  EXPECT_EQ(unfolded("a\rb"), "a b");
  EXPECT_EQ(unfolded("a\r\nb"), "a b");
  EXPECT_EQ(unfolded("plain"), "plain");
  EXPECT_EQ(unfolded(" \r\n \t"), "");
  EXPECT_EQ(unfolded(""), "");
}

TEST(Header, EndsWhereTheBodyBegins) {
  EXPECT_EQ(Read("A: 1\n\nbody").header.size(), 6u);
  EXPECT_EQ(Read("\r\nbody").header.size(), 2u);
  EXPECT_EQ(Read("").header.size(), 0u);
  EXPECT_THAT(Read("").defects(), IsEmpty());
  const Read open("A: 1\r\n");
  EXPECT_EQ(open.header.size(), 6u);
  EXPECT_EQ(open.header.fields()[0].raw, "A: 1\r\n");
  EXPECT_THAT(open.defects(), ElementsAre("no_blank_line@6"));
  const Read cut("A: 1\r\nB: 2");
  EXPECT_EQ(cut.header.fields()[1].raw, "B: 2");
  EXPECT_EQ(cut.header.fields()[1].body, " 2");
}

TEST(Header, LinesThatAreNoFieldsAreSkippedBetweenFields) {
  const Read read("A: 1\n>From somebody\n more of it\nB: 2\n\nbody");
  EXPECT_THAT(read.names(), ElementsAre("A", "B"));
  EXPECT_EQ(read.header.fields()[0].raw, "A: 1\n");
  EXPECT_THAT(read.defects(), ElementsAre("field_without_colon@5"));
  EXPECT_EQ(read.text.substr(read.header.size()), "body");
}

TEST(Header, AndAreTheBodyBehindTheLastOne) {
  const Read read("A: 1\nDear reader,\nsecond line\n\nmore");
  EXPECT_EQ(read.text.substr(read.header.size()), "Dear reader,\nsecond line\n\nmore");
  EXPECT_THAT(read.defects(), ElementsAre("field_without_colon@5", "no_blank_line@5"));
  const Read none("Dear reader,\nhow are you\n");
  EXPECT_EQ(none.header.size(), 0u);
  EXPECT_THAT(none.defects(), ElementsAre("no_header@0"));
}

TEST(Header, NamesHaveNoBlanksInside) {
  const Read read("Not a field: 1\n: nameless\nB\xc3\xa4: 2\nC\x01: 3\nD\t: 4\n\n");
  EXPECT_THAT(read.names(), ElementsAre("B\xc3\xa4", "C\x01", "D"));
  EXPECT_THAT(read.defects(), ElementsAre("field_without_colon@0", "bad_field_name@26",
                                          "bad_field_name@33", "bad_field_name@39"));
}

TEST(Header, SaysWhichFoldsAreBad) {
  const Read read(" before any\nA: 1\n \t\n b\n\n");
  EXPECT_THAT(read.defects(), ElementsAre("bad_folding@0", "bad_folding@17"));
  EXPECT_EQ(read.header.text("A"), "1 \t b");
  // A name and its colon on two lines: neither is a field.
  const Read split("From\r\n : a@example.org\r\nTo: b\r\n\r\n");
  EXPECT_THAT(split.names(), ElementsAre("To"));
  EXPECT_THAT(split.defects(), ElementsAre("field_without_colon@0"));
}

TEST(Header, SaysWhichBytesAreBad) {
  const Read read(std::string("A: \0x\r\nB: a\rb\r\nC: c\nD: \xff\r\nE: \xc3\xa4\r\n\r\n", 35));
  EXPECT_THAT(read.defects(),
              ElementsAre("nul_byte@3", "bare_cr@11", "bare_lf@19", "eight_bit@23"));
  EXPECT_THAT(Read("A: 1\nB: 2\n\n").defects(), IsEmpty());  // no CRLF anywhere
  EXPECT_THAT(Read("A: 1\r\r\nB: 2\r\n\r\r\nbody").defects(),
              ElementsAre("bare_cr@4", "bare_cr@13"));
  EXPECT_EQ(Read("A: 1\r\nB: 2\r\n\r\r\nbody").header.size(), 15u);
  EXPECT_THAT(Read("A: 1\r").defects(), ElementsAre("no_blank_line@5", "bare_cr@4"));
}

TEST(Header, FindingsCountFromTheBeginningOfTheMessage) {
  EXPECT_THAT(Read("A : 1\n\n", {}, 1000).defects(), ElementsAre("bad_field_name@1000"));
}

TEST(Header, LongLines) {
  const std::string most(998 - 3, 'x');
  EXPECT_THAT(Read("A: " + most + "\r\n\r\n").defects(), IsEmpty());
  EXPECT_THAT(Read("A: " + most + "x\r\n\r\n").defects(), ElementsAre("long_line@0"));
  EXPECT_THAT(Read("A:\r\n " + most + "xxx\r\n\r\n").defects(), ElementsAre("long_line@4"));
}

TEST(Header, NulAtEachPlaceCutsNothing) {
  const std::string whole = "Subject: words\r\n here\r\nTo: a@example.org\r\n\r\n";
  for (size_t at = 0; at + 2 < whole.size(); ++at) {  // before the blank line
    std::string bytes = whole;
    bytes.insert(at, 1, '\0');
    const Read read(bytes);
    EXPECT_TRUE(read.findings.has(Defect::nul_byte)) << at;
    size_t kept = 0;
    for (const Field& field : read.header.fields()) kept += field.raw.size();
    // Nothing is lost but a line that the byte made into no field any more.
    EXPECT_GE(kept + 24, bytes.size()) << at;
  }
}

// Reading a second one of those that may be there once: each reader of mail takes another.
TEST(Header, SingleFieldsGivenTwice) {
  for (const char* name :
       {"From", "Sender", "Reply-To", "To", "Cc", "Bcc", "Message-ID", "In-Reply-To", "References",
        "Subject", "Date", "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
        "Content-ID", "Content-Description", "Content-Disposition"}) {
    const std::string first = std::string(name) + ": 1\r\n";
    std::string again = first;
    for (char& c : again) c = static_cast<char>(std::toupper(c));
    const Read read(first + "X: 0\r\n" + again + "\r\n");
    EXPECT_THAT(read.defects(), ElementsAre("doubled_field@" + std::to_string(first.size() + 6)))
        << name;
    EXPECT_EQ(read.header.count(name), 2u);
  }
  EXPECT_THAT(Read("Received: 1\r\nReceived: 2\r\nComments: 1\r\nComments: 2\r\n\r\n").defects(),
              IsEmpty());
  // Blanks before the colon do not hide it.
  EXPECT_TRUE(Read("From: a\r\nFrom : b\r\n\r\n").findings.has(Defect::doubled_field));
}

TEST(Header, IsBounded) {
  const Read bytes("A: 1\r\nB: 22222222\r\nC: 3\r\n\r\nbody", {.header_bytes = 12});
  EXPECT_THAT(bytes.names(), ElementsAre("A"));
  EXPECT_EQ(bytes.text.substr(bytes.header.size()), "body");
  EXPECT_THAT(bytes.defects(), ElementsAre("header_too_large@6"));

  const Read fold("A: 1\r\nB: 2\r\n more\r\nC: 3\r\n\r\nbody", {.header_bytes = 14});
  EXPECT_THAT(fold.names(), ElementsAre("A"));  // half a field is none
  EXPECT_EQ(fold.text.substr(fold.header.size()), "body");

  const Read fields("A: 1\r\nB: 2\r\n more\r\nC: 3\r\nD: 4\r\n\r\nbody", {.fields = 2});
  EXPECT_THAT(fields.names(), ElementsAre("A", "B"));
  EXPECT_EQ(fields.header.text("B"), "2 more");
  EXPECT_THAT(fields.defects(), ElementsAre("header_too_large@19"));
  EXPECT_EQ(fields.text.substr(fields.header.size()), "body");

  std::string flood;
  for (int i = 0; i < 100'000; ++i) flood += "To: a\r\n";
  const Read flooded(flood);
  EXPECT_LE(flooded.header.fields().size(), Bounds().fields);
  EXPECT_TRUE(flooded.findings.has(Defect::header_too_large));
  EXPECT_TRUE(flooded.findings.has(Defect::no_blank_line));
  EXPECT_LE(flooded.findings.all().size(), Findings::kMost);
  EXPECT_EQ(flooded.header.size(), flood.size());
}

TEST(Findings, KeepsEachDefectOnceHoweverMany) {
  Findings findings;
  for (size_t i = 0; i < 5'000; ++i) findings.add(Defect::nul_byte, i);
  for (size_t i = 0; i < kDefects; ++i) findings.add(static_cast<Defect>(i), 7);
  EXPECT_EQ(findings.count(), 5'000 + kDefects);
  EXPECT_LE(findings.all().size(), Findings::kMost);
  EXPECT_GT(findings.all().size(), 100u);
  for (size_t i = 0; i < kDefects; ++i) {
    const auto defect = static_cast<Defect>(i);
    EXPECT_TRUE(findings.has(defect));
    EXPECT_TRUE(std::ranges::any_of(findings.all(), [&](const Finding& one) {
      return one.what == defect;
    })) << name_of(defect);
  }
}

TEST(Findings, NamesAreTheirOwn) {
  EXPECT_EQ(name_of(Defect::field_without_colon), "field_without_colon");
  EXPECT_EQ(name_of(Defect::bad_address), "bad_address");
  EXPECT_EQ(name_of(Defect::missing_end_boundary), "missing_end_boundary");
  EXPECT_EQ(name_of(Defect::too_many_parts), "too_many_parts");
  EXPECT_EQ(name_of(Defect::decoded_too_large), "decoded_too_large");
  EXPECT_EQ(defect_names().size(), kDefects);
}

}  // namespace
}  // namespace watchpost::mime
