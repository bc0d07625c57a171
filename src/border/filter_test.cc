#include "border/filter_schema.h"
#include "border/inbound/test_gate.h"

#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace watchpost::border {
namespace {

using auth::TestWorld;
using expr::Truth;

FilterSettings rule(std::string when) {
  FilterSettings made;
  made.name = "a rule";
  made.when = std::move(when);
  return made;
}

TEST(Filter, IsMadeOfItsSettings) {
  FilterSettings settings = rule("size > 10MiB");
  settings.then = "quarantine";
  settings.mode = "enforce";
  settings.owner = "abuse desk";
  settings.until = "2026-12-31";
  settings.why = "too much";
  const auto made = make_filter(settings);
  ASSERT_TRUE(made) << made.error().text();
  EXPECT_EQ(made->name, "a rule");
  EXPECT_EQ(made->then, Disposition::quarantine);
  EXPECT_EQ(made->mode, Mode::enforce);
  EXPECT_EQ(made->owner, "abuse desk");
  EXPECT_EQ(made->until, *parse_time("2026-12-31T00:00:00Z"));
  EXPECT_EQ(made->why, "too much");
  settings.until = "2026-12-31T12:30:00+01:00";
  EXPECT_EQ(make_filter(settings)->until, *parse_time("2026-12-31T11:30:00Z"));
  settings.until = "";
  EXPECT_EQ(make_filter(settings)->until, Time::max());
}

TEST(Filter, FaultsSayWhere) {
  const auto about = [](const FilterSettings& settings) {
    const auto made = make_filter(settings);
    return made ? std::string() : made.error().about;
  };
  EXPECT_EQ(about(rule("size > 5m")), "when, column 8");
  EXPECT_EQ(about(rule("size >")), "when, column 7");
  EXPECT_EQ(about(rule("subjekt == 'x'")), "when, column 1");
  EXPECT_EQ(about(rule("dmarc == maybe")), "when, column 10");
  EXPECT_EQ(about(rule("")), "when, column 1");
  FilterSettings bad = rule("size > 0");
  for (const std::string& name : {std::string(), std::string("a\nb"), std::string(61, 'x'),
                                  std::string("a;b"), std::string("\xC3\xA4")}) {
    bad.name = name;
    EXPECT_EQ(about(bad), "name") << name;
  }
  bad = rule("size > 0");
  bad.then = "rejekt";
  EXPECT_EQ(about(bad), "then");
  bad = rule("size > 0");
  bad.mode = "on";
  EXPECT_EQ(about(bad), "mode");
  bad = rule("size > 0");
  bad.until = "tomorrow";
  EXPECT_EQ(about(bad), "until");
}

struct Rows : GateWorld {
  Rows()
      : GateWorld(R"(
1.2.0.192.zen.example.  A 127.0.0.2
1.2.0.192.slow.example. TIMEOUT
1.2.0.192.in-addr.arpa. PTR mx.shop.example.
)") {}

  Truth holds(const Facts& facts, const std::string& when) {
    const auto made = make_filter(rule(when));
    EXPECT_TRUE(made) << made.error().text();
    return made->when.evaluate(MessageRow(facts));
  }
  void expect_true(const Facts& facts, const std::string& when) {
    EXPECT_EQ(holds(facts, when), Truth::yes) << when;
  }
  void expect_unknown(const Facts& facts, const std::string& when) {
    EXPECT_EQ(holds(facts, when), Truth::unknown) << when;
  }
};

TEST_F(Rows, SayAllThatIsKnown) {
  settings.blocklists = {{.name = "zen", .zone = "zen.example", .of = "ip", .answers = {}}};
  for (int i = 0; i < 3; ++i) {
    reputation.note(relate::Party::domain, "shop.example", relate::Deed::good, clock.now());
  }
  auto mail = from(
      TestWorld::shop(),
      world.signed_by("shop.example",
                      "From: \"Jo Doe\" <jo@shop.example>\r\nReply-To: <x@other.example>\r\n"
                      "Subject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\nMessage-ID: <1@shop.example>\r\n"
                      "List-Id: News <news.shop.example>\r\n"
                      "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
                      "--b\r\n\r\nsee https://Link.example/x\r\n--b\r\n"
                      "Content-Disposition: attachment; filename=bill.exe\r\n\r\nMZ\r\n--b--\r\n"));
  mail->macros["tls_version"] = "TLSv1.3";
  mail->recipients.push_back({.address = "also@example.org", .arguments = {}});
  const Judged judged = judge(mail);
  const Facts& facts = judged.facts;
  for (const char* const when : {"client_ip == '192.0.2.1'",
                                 "client_network == '192.0.2.0/24'",
                                 "client_name == 'client.example'",
                                 "helo == 'mx.shop.example'",
                                 "iprev == pass",
                                 "sender == 'jo@shop.example'",
                                 "sender_domain == 'shop.example'",
                                 "recipient == 'you@example.org also@example.org'",
                                 "recipients == 2",
                                 "author == 'jo@shop.example'",
                                 "author_domain == 'shop.example'",
                                 "author_name == 'Jo Doe'",
                                 "author_certain",
                                 "reply_to == 'x@other.example'",
                                 "subject == 'gr\xC3\xBC\xC3\x9F"
                                 "e'",
                                 "message_id == '<1@shop.example>'",
                                 "list_id == 'news.shop.example'",
                                 "bulk",
                                 "size > 100",
                                 "spf == pass",
                                 "spf_helo == pass",
                                 "dkim == pass",
                                 "signer == 'shop.example'",
                                 "dmarc == pass",
                                 "dmarc_policy == quarantine",
                                 "arc == none",
                                 "tls == 'TLSv1.3'",
                                 "listed == 1",
                                 "listed_by == 'zen'",
                                 "ip_mail == 0",
                                 "domain_mail > 2",
                                 "domain_badness == 0",
                                 "attachments == 1",
                                 "attachment_names == 'bill.exe'",
                                 "link_hosts == 'link.example'",
                                 "foreign_link_host == 'link.example'",
                                 "findings matches 'listed:zen'",
                                 "not malformed",
                                 "not cut"}) {
    expect_true(facts, when);
  }
  for (const char* const when : {"login == 'x'", "trusted_sealer == 'x'", "ip_badness > 0"}) {
    expect_unknown(facts, when);
  }
}

TEST_F(Rows, WhatDnsDidNotSayIsUnknownOrTemperror) {
  settings.blocklists = {{.name = "slow", .zone = "slow.example", .of = "ip", .answers = {}}};
  const Judged judged = judge(good());
  expect_unknown(judged.facts, "listed > 0");
  expect_unknown(judged.facts, "not listed > 0");
  // Where one list says yes, the silence of another changes nothing.
  settings.blocklists.push_back({.name = "zen", .zone = "zen.example", .of = "ip", .answers = {}});
  const Judged both = judge(good());
  expect_true(both.facts, "listed == 1");
}

TEST_F(Rows, OfUnprovenAuthorsThereIsNoReputation) {
  reputation.note(relate::Party::domain, "bank.example", relate::Deed::good, clock.now());
  const Judged judged = judge(forged());
  expect_unknown(judged.facts, "domain_mail > 0");
  expect_unknown(judged.facts, "signer_mail > 0");
  expect_true(judged.facts, "dmarc == fail and dmarc_policy == reject");
}

TEST_F(Rows, WithoutAClientNothingIsKnownOfIt) {
  auto mail = good();
  mail->client_ip.reset();
  const Judged judged = judge(mail);
  for (const char* const when :
       {"client_ip == ''", "iprev == pass", "spf == pass", "ip_mail == 0"}) {
    expect_unknown(judged.facts, when);
  }
}

TEST(MessageSchema, EachFieldIsInTheManual) {
  std::ifstream in(std::string(WATCHPOST_SOURCE_DIR) + "/docs/reference/filters.md");
  const std::string manual{std::istreambuf_iterator<char>(in), {}};
  ASSERT_FALSE(manual.empty());
  std::set<std::string_view> names;
  for (const expr::FieldName& field : message_schema().fields) {
    EXPECT_TRUE(names.insert(field.name).second) << field.name;
    EXPECT_NE(manual.find("`" + std::string(field.name) + "`"), std::string::npos) << field.name;
  }
}

}  // namespace
}  // namespace watchpost::border
