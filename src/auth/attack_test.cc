// What attackers send and publish, by the rows of the list of attacks (S) and of the rules that the
// faults of others taught (C).
#include "auth/auth_cases.h"
#include "auth/dmarc/dmarc.h"
#include "auth/spf/spf.h"
#include "dns/name.h"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::auth {
namespace {

// A zone that counts what it is asked, and by what names.
class Counted final : public dns::Resolver {
 public:
  explicit Counted(std::string_view zone) : zone_(zone_of(zone)) {}

  Async<dns::AnswerPtr> look_up(std::string name, dns::RecordType type,
                                dns::Budget& budget) override {
    asked.push_back(name);
    const dns::AnswerPtr answer = co_await zone_->look_up(std::move(name), type, budget);
    co_return answer;
  }

  std::vector<std::string> asked;

 private:
  std::unique_ptr<dns::ZoneFile> zone_;
};

SpfVerdict spf(dns::Resolver& resolver, const std::string& mail_from,
               const std::string& ip = "192.0.2.1", uint32_t queries = 100) {
  dns::Budget budget{.queries = queries};
  SpfQuestion question;
  question.ip = *parse_ip_address(ip);
  question.helo = "mx.client.example";
  question.mail_from = mail_from;
  return *value_now(check_spf(question, resolver, budget));
}

DmarcVerdict dmarc(dns::Resolver& resolver, const std::string& author,
                   std::vector<DmarcIdentifier> identifiers = {}, uint32_t queries = 100) {
  dns::Budget budget{.queries = queries};
  DmarcQuestion question;
  question.author_domains = {author};
  question.identifiers = std::move(identifiers);
  return *value_now(check_dmarc(question, resolver, budget));
}

DmarcIdentifier passed(const std::string& domain) {
  DmarcIdentifier made;
  made.domain = domain;
  made.outcome = IdentifierOutcome::pass;
  return made;
}

std::string repeated(std::string_view text, size_t times) {
  std::string made;
  for (size_t i = 0; i < times; ++i) made += text;
  return made;
}

// A TXT record of any length, in strings of 200 bytes.
std::string txt(const std::string& name, const std::string& text) {
  std::string made = name + " TXT";
  for (size_t at = 0; at < text.size(); at += 200) made += " \"" + text.substr(at, 200) + "\"";
  return made + "\n";
}

TEST(AttackC2, APassOfHeloIsNoneOfMailFrom) {
  Counted dns(R"($TTL 300
bank.example.        TXT "v=spf1 -all"
_dmarc.bank.example. TXT "v=DMARC1; p=reject"
helo.bank.example.   TXT "v=spf1 +all"
)");
  dns::Budget budget;
  SpfQuestion question;
  question.ip = *parse_ip_address("192.0.2.1");
  question.helo = "helo.bank.example";
  question.mail_from = "ceo@bank.example";
  question.identity = SpfIdentity::helo;
  const SpfVerdict helo = *value_now(check_spf(question, dns, budget));
  EXPECT_EQ(helo.result, SpfResult::pass);
  EXPECT_FALSE(identifier_of(helo));
  question.identity = SpfIdentity::mail_from;
  const SpfVerdict mail_from = *value_now(check_spf(question, dns, budget));
  const auto identifier = identifier_of(mail_from);
  ASSERT_TRUE(identifier);
  EXPECT_EQ(dmarc(dns, "bank.example", {*identifier}).result, DmarcResult::fail);
  // The null sender's MAIL FROM identity is postmaster@HELO: that one counts.
  question.mail_from = "";
  const auto null_sender = identifier_of(*value_now(check_spf(question, dns, budget)));
  ASSERT_TRUE(null_sender);
  EXPECT_EQ(null_sender->domain, "helo.bank.example");
  EXPECT_EQ(dmarc(dns, "bank.example", {*null_sender}).result, DmarcResult::pass);
}

TEST(AttackC3, DomainsThatAreNoneAreNotAligned) {
  Counted dns("$TTL 300\n_dmarc.bank.example. TXT \"v=DMARC1; p=reject\"\n");
  for (const std::string_view domain :
       {"bank.example (evil.example", "evil.example\"bank.example", "bank.example\r\n",
        "bank.example ", "", ".", "bank..example", ".bank.example", "bank.example.."}) {
    EXPECT_EQ(dmarc(dns, "bank.example", {passed(std::string(domain))}).result, DmarcResult::fail)
        << domain;
  }
  const std::string with_nul("bank.example\0.evil.example", 26);
  EXPECT_EQ(dmarc(dns, "bank.example", {passed(with_nul)}).result, DmarcResult::fail);
}

TEST(AttackC8, LongRecordsAreReadWholeOrNotAtAll) {
  const std::string filler = repeated("ip4:198.51.100.1 ", 3000);
  Counted dns("$TTL 300\n" + txt("long.example.", "v=spf1 " + filler + "ip4:192.0.2.1 -all") +
              txt("longer.example.", "v=spf1 " + filler + filler + "+all") +
              txt("_dmarc.a.example.", "v=DMARC1; p=reject; x=" + std::string(4000, 'x')) +
              txt("_dmarc.b.example.", "v=DMARC1; p=reject; x=" + std::string(16000, 'x')));
  EXPECT_EQ(spf(dns, "jo@long.example").result, SpfResult::pass);
  EXPECT_EQ(spf(dns, "jo@long.example", "192.0.2.2").result, SpfResult::fail);
  EXPECT_EQ(spf(dns, "jo@longer.example").result, SpfResult::permerror);
  EXPECT_EQ(dmarc(dns, "a.example").result, DmarcResult::fail);
  EXPECT_EQ(dmarc(dns, "b.example").result, DmarcResult::none);
}

TEST(AttackC11, ExpansionsAreNoLongerThanNames) {
  Counted dns("$TTL 300\n" +
              txt("a.example.", "v=spf1 exists:" + repeated("%{s}%{lr}%{HR}.", 50) + "x.example " +
                                    "exists:%{h} exists:%{l100r-.+,/_=}.example -all"));
  dns::Budget budget;
  SpfQuestion question;
  question.ip = *parse_ip_address("192.0.2.1");
  question.helo = repeated("h\x01\xFF.", 10000);
  question.mail_from = repeated("a-b+c.\xC3", 5000) + "@a.example";
  const SpfVerdict verdict = *value_now(check_spf(question, dns, budget));
  EXPECT_EQ(verdict.result, SpfResult::fail);
  for (const std::string& name : dns.asked) {
    EXPECT_TRUE(name.size() <= 253 || !name.contains('.')) << name.size();
  }
}

// Answers whose names have dots and other bytes within a label.
class OddNames final : public dns::Resolver {
 public:
  Async<dns::AnswerPtr> look_up(std::string name, dns::RecordType type,
                                dns::Budget& /*budget*/) override {
    auto answer = std::make_shared<dns::Answer>();
    answer->outcome = dns::Outcome::found;
    asked.push_back(name);
    if (type == dns::RecordType::txt) answer->texts = {"v=spf1 ptr:a.example mx -all"};
    if (type == dns::RecordType::ptr) answer->names = {"x\\.a.example", "y\\000z.a.example"};
    if (type == dns::RecordType::mx) answer->exchanges = {{10, "mx\\.a.example"}};
    if (type == dns::RecordType::a) answer->addresses = {*parse_ip_address("192.0.2.1")};
    co_return answer;
  }

  std::vector<std::string> asked;
};

TEST(AttackC14, NamesInAnswersAreNotTrusted) {
  OddNames dns;
  EXPECT_EQ(spf(dns, "jo@a.example").result, SpfResult::fail);
  EXPECT_EQ(dns.asked,
            (std::vector<std::string>{"a.example", "1.2.0.192.in-addr.arpa", "a.example"}));
}

TEST(AttackS11, TreesOfIncludesEndAtTenTerms) {
  std::string zone = "$TTL 300\n";
  const std::string all = [] {
    std::string made = "v=spf1";
    for (int i = 0; i < 10; ++i) made += fmt::format(" include:n{}.example", i);
    return made + " -all";
  }();
  for (int i = 0; i < 10; ++i) zone += txt(fmt::format("n{}.example.", i), all);
  zone += txt("deep.example.", "v=spf1 include:d1.example -all");
  for (int i = 1; i < 100; ++i) {
    zone +=
        txt(fmt::format("d{}.example.", i), fmt::format("v=spf1 include:d{}.example -all", i + 1));
  }
  zone += txt("r0.example.", "v=spf1 redirect=r1.example");
  zone += txt("r1.example.", "v=spf1 redirect=r0.example");
  Counted dns(zone);
  for (const std::string_view domain : {"n0.example", "deep.example", "r0.example"}) {
    dns.asked.clear();
    EXPECT_EQ(spf(dns, fmt::format("jo@{}", domain)).result, SpfResult::permerror) << domain;
    EXPECT_EQ(dns.asked.size(), 11u) << domain;
  }
}

TEST(AttackS9, TheMostExpensiveRecordHasABound) {
  std::string zone = "$TTL 300\n" + txt("a.example.",
                                        "v=spf1 mx:m.example mx:m.example mx:m.example "
                                        "mx:m.example mx:m.example mx:m.example mx:m.example "
                                        "mx:m.example mx:m.example ptr -all exp=%{p}.x.example");
  for (int i = 0; i < 10; ++i) {
    zone += fmt::format("m.example. MX {} h{}.example.\nh{}.example. A 198.51.100.1\n", i, i, i);
  }
  for (int i = 0; i < 40; ++i) {
    zone +=
        fmt::format("1.2.0.192.in-addr.arpa. PTR p{}.example.\np{}.example. A 192.0.2.2\n", i, i);
  }
  Counted dns(zone);
  EXPECT_EQ(spf(dns, "jo@a.example", "192.0.2.1", 1000).result, SpfResult::fail);
  EXPECT_EQ(dns.asked.size(), 1u + 9 * 11 + 11 + 1);
  // What the message may cost in all ends it before.
  dns.asked.clear();
  EXPECT_EQ(spf(dns, "jo@a.example", "192.0.2.1", 20).result, SpfResult::temperror);
  EXPECT_LE(dns.asked.size(), 21u);
}

TEST(AttackS12, WithoutAnswersNothingIsDecided) {
  Counted dns(R"($TTL 300
a.example.        TXT "v=spf1 include:b.example -all"
b.example.        TXT "v=spf1 ip4:192.0.2.1 ?all"
_dmarc.a.example. TXT "v=DMARC1; p=reject"
)");
  EXPECT_EQ(spf(dns, "jo@a.example", "192.0.2.1", 0).result, SpfResult::temperror);
  EXPECT_EQ(spf(dns, "jo@a.example", "192.0.2.1", 1).result, SpfResult::temperror);
  EXPECT_EQ(spf(dns, "jo@a.example", "192.0.2.1", 2).result, SpfResult::pass);
  EXPECT_EQ(dmarc(dns, "a.example", {}, 0).result, DmarcResult::temperror);
  EXPECT_EQ(dmarc(dns, "a.example", {}, 0).author()->disposition, DmarcRequest::none);
  EXPECT_EQ(dmarc(dns, "a.example", {passed("b.a.example")}, 1).result, DmarcResult::temperror);
  EXPECT_EQ(dmarc(dns, "a.example", {passed("a.example")}, 1).result, DmarcResult::pass);
}

TEST(AttackS14, WalksHaveEightQueriesAndStrangersNone) {
  Counted dns("$TTL 300\n_dmarc.shop.example. TXT \"v=DMARC1; p=reject\"\n");
  const std::string deep = repeated("a.", 118) + "shop.example";
  EXPECT_EQ(dmarc(dns, deep).result, DmarcResult::fail);
  EXPECT_EQ(dns.asked.size(), 8u);
  dns.asked.clear();
  std::vector<DmarcIdentifier> strangers;
  for (int i = 0; i < 1000; ++i) strangers.push_back(passed(fmt::format("a.b.c.s{}.example", i)));
  const DmarcVerdict verdict = dmarc(dns, "shop.example", strangers);
  EXPECT_EQ(verdict.result, DmarcResult::fail);
  EXPECT_EQ(verdict.author()->alignments.size(), kMostDmarcIdentifiers);
  EXPECT_EQ(dns.asked.size(), 2u);
}

TEST(AttackS14, RecordsAtEveryNameChangeNothing) {
  Counted dns(R"($TTL 300
*.example.       TXT "v=DMARC1; p=none"
_dmarc.example.  TXT "v=DMARC1; p=reject; psd=y"
)");
  const DmarcVerdict verdict = dmarc(dns, "a.b.shop.example", {passed("c.shop.example")});
  EXPECT_EQ(verdict.result, DmarcResult::pass);
  EXPECT_EQ(verdict.author()->organizational, "shop.example");
  EXPECT_LE(dns.asked.size(), 8u);
}

}  // namespace
}  // namespace watchpost::auth
