#include "dns/zone_file.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::dns {
namespace {

using testing::ElementsAre;

std::unique_ptr<ZoneFile> zone_of(std::string_view text) {
  auto zone = ZoneFile::parse(text);
  EXPECT_TRUE(zone) << zone.error().text();
  return zone ? std::move(*zone) : nullptr;
}

// "found 300 ...", "no data 60", "failed: why"
std::string said(const AnswerPtr& answer) {
  if (answer->outcome == Outcome::failed) return "failed: " + answer->why;
  std::string text = fmt::format("{} {}", name_of(answer->outcome), answer->ttl);
  for (const std::string& one : answer->texts) text += fmt::format(" \"{}\"", one);
  for (const IpAddress& one : answer->addresses) text += " " + one.text();
  for (const MailExchange& one : answer->exchanges) {
    text += fmt::format(" {} {}", one.preference, one.host.empty() ? "." : one.host);
  }
  for (const std::string& one : answer->names) text += " " + one;
  return text;
}

std::string ask(const ZoneFile& zone, std::string name, RecordType type) {
  return said(zone.find(std::move(name), type));
}

constexpr std::string_view kExample = R"(
$ORIGIN example.com.
$TTL 1h
@        SOA   ns1 host\.master ( 2026112801 ; serial
               2h 15m 2w
               60 )                ; minimum
         NS    ns1
         NS    ns2.example.net.
         MX    20 Backup
         MX    10 mx1
         TXT   "v=spf1 mx " "-all"
         TXT   plain\032text\;
mx1  300 IN A  192.0.2.1
mx1   IN 60 A  192.0.2.2
         AAAA  2001:DB8::1
null     MX    0 .
www      CNAME mx1
alias    CNAME www
away     CNAME nowhere.example.net.
loop     CNAME pool
pool     CNAME loop
*.lab    TXT   "any"
deep.er.lab A  192.0.2.3
slow     TIMEOUT
slow     A     192.0.2.4
bad      SERVFAIL TXT mx
old      SPF   "v=spf1 -all"
raw      TYPE65280 \# 2 0102
$ORIGIN 2.0.192.in-addr.arpa.
1        PTR   mx1.example.com.
)";

TEST(ZoneFile, AnswersByType) {
  const auto zone = zone_of(kExample);
  EXPECT_EQ(ask(*zone, "example.com", RecordType::txt),
            "found 3600 \"v=spf1 mx -all\" \"plain text;\"");
  EXPECT_EQ(ask(*zone, "EXAMPLE.com.", RecordType::mx),
            "found 3600 10 mx1.example.com 20 backup.example.com");
  EXPECT_EQ(ask(*zone, "example.com", RecordType::ns),
            "found 3600 ns1.example.com ns2.example.net");
  EXPECT_EQ(ask(*zone, "mx1.example.com", RecordType::a), "found 60 192.0.2.1 192.0.2.2");
  EXPECT_EQ(ask(*zone, "mx1.example.com", RecordType::aaaa), "found 3600 2001:db8::1");
  EXPECT_EQ(ask(*zone, "null.example.com", RecordType::mx), "found 3600 0 .");
  EXPECT_EQ(ask(*zone, "1.2.0.192.in-addr.arpa", RecordType::ptr), "found 3600 mx1.example.com");
}

TEST(ZoneFile, TellsApartWhatIsNotThere) {
  const auto zone = zone_of(kExample);
  EXPECT_EQ(ask(*zone, "mx1.example.com", RecordType::txt), "no data 60");
  EXPECT_EQ(ask(*zone, "mx2.example.com", RecordType::txt), "no such name 60");
  // No SOA stands above these.
  EXPECT_EQ(ask(*zone, "example.net", RecordType::a), "no such name 0");
  EXPECT_EQ(ask(*zone, "192.in-addr.arpa", RecordType::ptr), "no data 0");
  EXPECT_EQ(ask(*zone, "old.example.com", RecordType::txt), "no data 60");
  EXPECT_EQ(ask(*zone, "raw.example.com", RecordType::txt), "no data 60");
}

TEST(ZoneFile, FollowsAliases) {
  const auto zone = zone_of(kExample);
  EXPECT_EQ(ask(*zone, "alias.example.com", RecordType::a), "found 60 192.0.2.1 192.0.2.2");
  EXPECT_EQ(ask(*zone, "alias.example.com", RecordType::txt), "no data 60");
  EXPECT_EQ(ask(*zone, "alias.example.com", RecordType::cname), "found 3600 www.example.com");
  EXPECT_EQ(ask(*zone, "away.example.com", RecordType::a), "no such name 0");
  EXPECT_EQ(ask(*zone, "loop.example.com", RecordType::a),
            "failed: loop.example.com A leads through more than 8 CNAMEs");
}

TEST(ZoneFile, FollowsEightAliasesAndNotNine) {
  std::string text = "a8 A 192.0.2.8\n";
  for (int i = 0; i < 8; ++i) text += fmt::format("a{} CNAME a{}\n", i, i + 1);
  text += "b CNAME a0\n";
  const auto zone = zone_of(text);
  EXPECT_EQ(zone->find("a0", RecordType::a)->outcome, Outcome::found);
  EXPECT_EQ(zone->find("b", RecordType::a)->outcome, Outcome::failed);
}

TEST(ZoneFile, WildcardsStandForWhatIsNotThere) {
  const auto zone = zone_of(kExample);
  EXPECT_EQ(ask(*zone, "x.lab.example.com", RecordType::txt), "found 3600 \"any\"");
  EXPECT_EQ(ask(*zone, "x.y.lab.example.com", RecordType::txt), "found 3600 \"any\"");
  EXPECT_EQ(ask(*zone, "x.lab.example.com", RecordType::a), "no data 60");
  // er.lab is there, if only as a part of a longer name: the wildcard is not for what is below it.
  EXPECT_EQ(ask(*zone, "er.lab.example.com", RecordType::txt), "no data 60");
  EXPECT_EQ(ask(*zone, "x.er.lab.example.com", RecordType::txt), "no such name 60");
  EXPECT_EQ(ask(*zone, "lab.example.com", RecordType::txt), "no data 60");
}

TEST(ZoneFile, FaultsAreForWhatIsNotListed) {
  const auto zone = zone_of(kExample);
  EXPECT_EQ(ask(*zone, "slow.example.com", RecordType::a), "found 3600 192.0.2.4");
  EXPECT_EQ(ask(*zone, "slow.example.com", RecordType::txt),
            "failed: No answer came in time for slow.example.com TXT");
  EXPECT_EQ(ask(*zone, "bad.example.com", RecordType::mx),
            "failed: The name server answered SERVFAIL for bad.example.com MX");
  EXPECT_EQ(ask(*zone, "bad.example.com", RecordType::a), "no data 60");
}

TEST(ZoneFile, ChargesEveryLookUp) {
  const auto zone = zone_of(kExample);
  Budget budget{.queries = 2};
  const auto look_up = [&](std::string name) {
    const auto answer = value_now(zone->look_up(std::move(name), RecordType::mx, budget));
    EXPECT_TRUE(answer);
    return said(*answer);
  };
  EXPECT_EQ(look_up("null.example.com"), "found 3600 0 .");
  EXPECT_EQ(look_up("a..b"), "no such name 0");
  EXPECT_EQ(look_up("null.example.com"),
            "failed: The message may cost no more than 2 DNS look-ups");
  EXPECT_EQ(budget.made, 2U);
}

TEST(ZoneFile, WhatIsNoNameIsNotThere) {
  const auto zone = zone_of("* A 192.0.2.1\n");
  const std::string label(63, 'a');
  const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'a');
  EXPECT_EQ(zone->find(longest, RecordType::a)->outcome, Outcome::found);
  EXPECT_EQ(zone->find(longest + ".", RecordType::a)->outcome, Outcome::found);
  for (const std::string& name :
       {std::string(), std::string("."), std::string("a..b"), std::string(".a"),
        std::string(64, 'a') + ".b", longest + "a", std::string("a..")}) {
    EXPECT_EQ(zone->find(name, RecordType::a)->outcome, Outcome::no_such_name) << name;
  }
}

TEST(ZoneFile, BytesOfNamesAndTexts) {
  const auto zone = zone_of(
      "a\\032b A 192.0.2.1\n"
      "x PTR a\\032B\\195.example\n"
      "x TXT \"\\000\\\"\\\\;(\" \"\"\n"
      "big TXT " +
      std::string(1000, 'k') + "\n");
  EXPECT_EQ(ask(*zone, "A b", RecordType::a), "found 0 192.0.2.1");
  EXPECT_THAT(zone->find("x", RecordType::ptr)->names, ElementsAre("a\\032b\\195.example"));
  EXPECT_THAT(zone->find("x", RecordType::txt)->texts, ElementsAre(std::string("\0\"\\;(", 5)));
  EXPECT_THAT(zone->find("big", RecordType::txt)->texts, ElementsAre(std::string(1000, 'k')));
}

TEST(ZoneFile, EmptyFilesSayNothing) {
  for (const std::string_view text : {"", "\n\n", "; a word\n", "\xEF\xBB\xBF", "$TTL 5"}) {
    EXPECT_EQ(ask(*zone_of(text), "a", RecordType::a), "no such name 0");
  }
}

TEST(ZoneFile, SaysWhereAFileIsWrong) {
  struct Case {
    std::string_view text;
    std::string_view error;
  };
  for (const auto& [text, error] : {
           Case{"a A 192.0.2.1\nb A 192.0.2.256\n", "zone:2: `192.0.2.256` is no IPv4 address"},
           Case{"a A ::1", "zone:1: `::1` is no IPv4 address"},
           Case{"a AAAA 192.0.2.1", "zone:1: `192.0.2.1` is no IPv6 address"},
           Case{"a A", "zone:1: what is wanted here is one IPv4 address"},
           Case{"a A 192.0.2.1 192.0.2.2", "zone:1: what is wanted here is one IPv4 address"},
           Case{"\n a A 192.0.2.1", "zone:2: a line that begins with a blank continues the name"},
           Case{"a", "zone:1: a type is missing"},
           Case{"a 300 IN", "zone:1: a type is missing"},
           Case{"a CH A 192.0.2.1", "zone:1: only the class IN"},
           Case{"a 5x A 192.0.2.1", "zone:1: `5x` is no TTL"},
           Case{"a 2147483648 A 192.0.2.1", "zone:1: `2147483648` is no TTL"},
           Case{"a X 192.0.2.1", "zone:1: `X` is no type of record"},
           Case{"a DNAME b", "zone:1: DNAME is not supported"},
           Case{"a TXT", "zone:1: what is wanted here is at least one string"},
           Case{"a TXT \"x\n\"", "zone:1: a quote is not closed on its line"},
           Case{"a TXT (\n\"x\"\n", "zone:3: the file ends within parentheses"},
           Case{"a TXT ( (", "zone:1: `(` within `(`"},
           Case{"a TXT )", "zone:1: `)` without `(`"},
           Case{"a TXT x\\", "zone:1: a backslash ends the line"},
           Case{"a TXT \\256", "zone:1: an escape is"},
           Case{"a TXT \\25", "zone:1: an escape is"},
           Case{"a\\.b TXT x", "zone:1: a dot within a label is not supported"},
           Case{"a..b TXT x", "zone:1: `a..b` is no name"},
           Case{"a CNAME b\na CNAME c", "zone:2: the name has a CNAME already"},
           Case{"a MX 10", "zone:1: what is wanted here is a preference and a name"},
           Case{"a MX 65536 b", "zone:1: the preference of an MX"},
           Case{"a SOA b c 1 2 3 4", "zone:1: what is wanted here is two names and five numbers"},
           Case{"a SOA b c 1 2 3 4 x", "zone:1: an SOA wants five numbers"},
           Case{"a SOA b c x 2 3 4 5", "zone:1: the serial of an SOA"},
           Case{"a TIMEOUT SPF", "zone:1: `SPF` is no type that is looked up"},
           Case{"$ORIGIN", "zone:1: $ORIGIN wants one name"},
           Case{"$TTL soon", "zone:1: $TTL wants seconds"},
           Case{"$INCLUDE other", "zone:1: `$INCLUDE` is neither"},
       }) {
    const auto zone = ZoneFile::parse(text);
    ASSERT_FALSE(zone) << text;
    EXPECT_EQ(zone.error().code, Code::bad_input);
    EXPECT_THAT(zone.error().text(), testing::StartsWith(error)) << text;
  }
}

TEST(ZoneFile, ReadsFiles) {
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / fmt::format("zone_file_test.{}", getpid());
  std::ofstream(path) << "a A 192.0.2.1\n";
  const auto zone = ZoneFile::open(path);
  ASSERT_TRUE(zone) << zone.error().text();
  EXPECT_EQ(ask(**zone, "a", RecordType::a), "found 0 192.0.2.1");
  std::ofstream(path) << "a A here\n";
  const auto wrong = ZoneFile::open(path);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().about, path.string() + ":1");
  std::filesystem::remove(path);
  const auto none = ZoneFile::open(path);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::unavailable);
  EXPECT_FALSE(ZoneFile::open("/"));
}

}  // namespace
}  // namespace watchpost::dns
