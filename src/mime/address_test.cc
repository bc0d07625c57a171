#include "mime/address.h"

#include <string>

#include <gmock/gmock.h>

namespace watchpost::mime {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// "group: name <address>", what is not there left out.
std::string shown(const Address& one) {
  std::string text = one.group.empty() ? "" : one.group + ": ";
  if (!one.name.empty()) text += one.name + " ";
  return text + "<" + one.text() + ">";
}

struct Read {
  std::vector<std::string> addresses;
  Findings findings;
  explicit Read(std::string_view body) {
    for (const Address& one : read_addresses(body, 0, findings)) addresses.push_back(shown(one));
  }
  bool good() const { return findings.count() == 0; }
};

std::vector<std::string> good(std::string_view body) {
  const Read read(body);
  EXPECT_TRUE(read.good()) << body;
  return read.addresses;
}

std::vector<std::string> bad(std::string_view body) {
  const Read read(body);
  EXPECT_TRUE(read.findings.has(Defect::bad_address)) << body;
  return read.addresses;
}

TEST(Address, AsRfc5322HasThem) {
  EXPECT_THAT(good(" jo@example.org"), ElementsAre("<jo@example.org>"));
  EXPECT_THAT(good("Jo Doe <jo@example.org>, <al@example.org>,\r\n\tbo@example.org"),
              ElementsAre("Jo Doe <jo@example.org>", "<al@example.org>", "<bo@example.org>"));
  EXPECT_THAT(good("\"Doe, Jo \\\"J\\\"\" <jo@example.org>"),
              ElementsAre("Doe, Jo \"J\" <jo@example.org>"));
  EXPECT_THAT(good("Jo (not \\) the (other) one) Doe <jo@example.org> (at home)"),
              ElementsAre("Jo Doe <jo@example.org>"));
  EXPECT_THAT(good("\"jo doe\"@example.org"), ElementsAre("<\"jo doe\"@example.org>"));
  EXPECT_THAT(good("\"jo\"@example.org"), ElementsAre("<jo@example.org>"));
  EXPECT_THAT(good("jo@[192.0.2.1], al@[IPv6:2001:db8::1]"),
              ElementsAre("<jo@[192.0.2.1]>", "<al@[IPv6:2001:db8::1]>"));
  EXPECT_THAT(good("jo+tag=x/y!z%w@example.org"), ElementsAre("<jo+tag=x/y!z%w@example.org>"));
  EXPECT_THAT(good(""), IsEmpty());
  EXPECT_THAT(good(" \r\n "), IsEmpty());
  EXPECT_THAT(good("<>"), IsEmpty());
}

TEST(Address, Groups) {
  EXPECT_THAT(
      good("Friends: jo@example.org, Al <al@example.org>;, bo@example.org"),
      ElementsAre("Friends: <jo@example.org>", "Friends: Al <al@example.org>", "<bo@example.org>"));
  EXPECT_THAT(good("undisclosed-recipients:;"), IsEmpty());
  EXPECT_THAT(good("\"A, B\" (c): jo@example.org;"), ElementsAre("A, B: <jo@example.org>"));
  EXPECT_THAT(good("A:a@example.org;B:b@example.org;"),
              ElementsAre("A: <a@example.org>", "B: <b@example.org>"));
  EXPECT_THAT(bad("A: B: jo@example.org;;"), ElementsAre("B: <jo@example.org>"));
  EXPECT_THAT(good("A: jo@example.org"), ElementsAre("A: <jo@example.org>"));
}

TEST(Address, ObsoleteForms) {
  EXPECT_THAT(good("jo . doe @ example . org"), ElementsAre("<jo.doe@example.org>"));
  EXPECT_THAT(good("jo(a).(b)doe@(c)example(d).org"), ElementsAre("d <jo.doe@example.org>"));
  EXPECT_THAT(good("<@a.example,@b.example:jo@example.org>"), ElementsAre("<jo@example.org>"));
  EXPECT_THAT(good("jo@example.org (Jo Doe)"), ElementsAre("Jo Doe <jo@example.org>"));
  EXPECT_THAT(good("<jo@example.org> (Jo Doe)"), ElementsAre("Jo Doe <jo@example.org>"));
  EXPECT_THAT(good(",,jo@example.org,,al@example.org,"),
              ElementsAre("<jo@example.org>", "<al@example.org>"));
  EXPECT_THAT(good("Jo Q. Doe <jo@example.org>"), ElementsAre("Jo Q. Doe <jo@example.org>"));
  EXPECT_THAT(good("\"jo\".doe@example.org"), ElementsAre("<jo.doe@example.org>"));
  // dots where none may be
  EXPECT_THAT(good("jo..doe.@example.org"), ElementsAre("<\"jo..doe.\"@example.org>"));
}

TEST(Address, NamesAreDecoded) {
  EXPECT_THAT(good("=?utf-8?Q?J=C3=B6?= =?utf-8?Q?_Doe?= <jo@example.org>"),
              ElementsAre("Jö Doe <jo@example.org>"));
  EXPECT_THAT(good("\"=?utf-8?Q?J=C3=B6?=\" <jo@example.org>"), ElementsAre("Jö <jo@example.org>"));
  EXPECT_THAT(good("jo@example.org (=?utf-8?Q?J=C3=B6?=)"), ElementsAre("Jö <jo@example.org>"));
  EXPECT_THAT(good("=?utf-8?Q?Gr=C3=BCn?=: jo@example.org;"),
              ElementsAre("Grün: <jo@example.org>"));
  // What an encoded word holds is a name, whatever it looks like.
  EXPECT_THAT(bad("=?utf-8?Q?boss=40example.com_=3Cboss=40example.com=3E,?= <jo@example.org>"),
              ElementsAre("boss@example.com <boss@example.com>, <jo@example.org>"));
  const auto hidden = read_addresses("=?utf-8?B?Ym9zc0BleGFtcGxlLmNvbQ==?=");
  ASSERT_EQ(hidden.size(), 1u);
  EXPECT_EQ(hidden[0].name, "boss@example.com");
  EXPECT_EQ(hidden[0].text(), "");
  EXPECT_THAT(good("\"boss@example.com\" <jo@example.org>"),
              ElementsAre("boss@example.com <jo@example.org>"));
}

TEST(Address, BeyondAscii) {
  EXPECT_THAT(good("Jö <jö@grün.example>"), ElementsAre("Jö <jö@grün.example>"));
  EXPECT_THAT(good("J\xF6 <jo@example.org>"), ElementsAre("Jö <jo@example.org>"));
  EXPECT_THAT(bad("j\xF6@example.org"), ElementsAre("<jö@example.org>"));
}

TEST(Address, WhatCannotBeOneIsSaid) {
  EXPECT_THAT(bad("root"), ElementsAre("<root>"));
  EXPECT_THAT(bad("jo.doe, <al.doe>"), ElementsAre("<jo.doe>", "<al.doe>"));
  EXPECT_THAT(bad("\"root\""), ElementsAre("root <>"));
  EXPECT_THAT(bad("Jo Doe, al@example.org"), ElementsAre("Jo Doe <>", "<al@example.org>"));
  EXPECT_THAT(bad("Jo Doe <>"), ElementsAre("Jo Doe <>"));
  EXPECT_THAT(bad("jo@, al@example.org"), ElementsAre("<jo>", "<al@example.org>"));
  EXPECT_THAT(bad("<@example.org>"), ElementsAre("<\"\"@example.org>"));
  EXPECT_THAT(bad("Jo <jo@example.org, al@example.org"),
              ElementsAre("Jo <jo@example.org>", "<al@example.org>"));
  EXPECT_THAT(bad("jo@example.org>"), ElementsAre("<jo@example.org>"));
  EXPECT_THAT(bad("jo@example.org; al@example.org"),
              ElementsAre("<jo@example.org>", "<al@example.org>"));
  EXPECT_THAT(bad("\"Jo Doe <jo@example.org>"), ElementsAre("\"Jo Doe <jo@example.org>"));
  EXPECT_THAT(bad("(Jo Doe <jo@example.org>"), ElementsAre("Jo Doe <jo@example.org>"));
  EXPECT_THAT(bad("<mailto:jo@example.org>"), ElementsAre("<jo@example.org>"));
  EXPECT_THAT(bad("jo@example.org@example.com"), ElementsAre("<\"jo@example.org\"@example.com>"));
  EXPECT_THAT(bad("Jo jo@example.org"), ElementsAre("Jo <jo@example.org>"));
  EXPECT_THAT(bad("jo@example.org Doe"), ElementsAre("<jo@example.org>"));
  EXPECT_THAT(bad("jo@[192.0.2.1"), ElementsAre("<jo@[192.0.2.1>"));
  EXPECT_THAT(bad(std::string_view("jo\0@example.org", 15)),
              ElementsAre(std::string("<\"jo\0\"@example.org>", 19)));
}

// Two readers of mail take two of these for the author: so both are given.
TEST(Address, BothOfTwo) {
  EXPECT_THAT(bad("a@example.com <b@example.org>"),
              ElementsAre("<a@example.com>", "<b@example.org>"));
  EXPECT_THAT(good("a@example.com <A@example.com>"), ElementsAre("a@example.com <A@example.com>"));
  EXPECT_THAT(bad("<a@example.com> <b@example.org>"),
              ElementsAre("<a@example.com>", "<b@example.org>"));
  EXPECT_THAT(bad("<a@example.com> b@example.org"),
              ElementsAre("<a@example.com>", "<b@example.org>"));
  EXPECT_THAT(bad("<a@example.com>\\, <b@example.org>"),
              ElementsAre("<a@example.com>", ", <b@example.org>"));
  EXPECT_THAT(bad("<a@example.com><b@example.org>"),
              ElementsAre("<a@example.com>", "<b@example.org>"));
}

TEST(Address, FirstOne) {
  EXPECT_EQ(first_address("root, Jo <jo@example.org>, al@example.org")->text(), "jo@example.org");
  EXPECT_EQ(first_address("root"), std::nullopt);
  EXPECT_EQ(first_address("<>"), std::nullopt);
}

TEST(Address, FindingsKnowTheirPlace) {
  Findings findings;
  read_addresses("jo@example.org, root", 100, findings);
  ASSERT_EQ(findings.all().size(), 1u);
  EXPECT_EQ(findings.all()[0], (Finding{Defect::bad_address, 116}));
}

TEST(Address, WorkIsBounded) {
  for (const char* piece : {"a@b,", "(", "((", "\"", "\\\"", "<", "<@", "<@a,", "a@[", "@", ".",
                            ":", "a:", "<a@b>", "=?utf-8?q?", ")", "a@b ", ";", "\\"}) {
    std::string body;
    while (body.size() < 300'000) body += piece;
    size_t bytes = 0;
    const auto addresses = read_addresses(body);
    for (const Address& one : addresses) {
      bytes += one.name.size() + one.local.size() + one.domain.size() + one.group.size();
    }
    EXPECT_LE(addresses.size(), kMostAddresses) << piece;
    EXPECT_LE(bytes, 4 * body.size()) << piece;
  }
  // The name of a group is in each of its addresses.
  std::string group(20'000, 'g');
  group += ":";
  for (int i = 0; i < 20'000; ++i) group += "a,";
  size_t bytes = 0;
  for (const Address& one : read_addresses(group)) bytes += one.group.size();
  EXPECT_LE(bytes, kMostAddresses * 256);
}

}  // namespace
}  // namespace watchpost::mime
