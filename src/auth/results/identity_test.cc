#include "auth/results/identity.h"

#include "auth/results/test_world.h"

#include <string>

#include <gmock/gmock.h>

namespace watchpost::auth {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string field_of(const Identity& identity) {
  return authentication_results_field(results_of(identity, "mx.example.org"), "\n");
}

TEST(Identity, AllOfAnAuthenticMessage) {
  const TestWorld world;
  const std::string message =
      world.signed_by("shop.example", TestWorld::message("From: Jo <jo@shop.example>\r\n"));
  const Identity who = world.check(message, TestWorld::shop());
  EXPECT_EQ(who.spf_mail_from.result, SpfResult::pass);
  EXPECT_EQ(who.spf_helo.result, SpfResult::pass);
  ASSERT_EQ(who.dkim.size(), 1u);
  EXPECT_EQ(who.dkim[0].result, DkimResult::pass);
  EXPECT_EQ(who.arc.result, ArcResult::none);
  EXPECT_EQ(who.dmarc.result, DmarcResult::pass);
  EXPECT_TRUE(who.author_is_authentic());
  EXPECT_GT(who.look_ups, 3u);
  const std::string field = field_of(who);
  for (const std::string_view part :
       {"spf=pass", "smtp.helo=mx.shop.example", "smtp.mailfrom=jo@shop.example", "dkim=pass",
        "header.d=shop.example", "header.s=s", "arc=none", "dmarc=pass", "header.from=shop.example",
        "polrec.p=quarantine", "policy.dmarc=none"}) {
    EXPECT_THAT(field, HasSubstr(part));
  }
  EXPECT_EQ(parse_authentication_results(field.substr(field.find(':') + 1)),
            results_of(who, "mx.example.org"));
}

TEST(Identity, NothingIsKnownOfTheClient) {
  const TestWorld world;
  const Identity who = world.check(TestWorld::message("From: jo@shop.example\r\n"), {});
  EXPECT_EQ(who.spf_mail_from.result, SpfResult::none);
  EXPECT_FALSE(who.spf_mail_from.asked);
  EXPECT_EQ(who.dmarc.result, DmarcResult::undecided);
  EXPECT_THAT(who.dmarc.why, HasSubstr("no client address"));
  EXPECT_FALSE(who.author_is_authentic());
  EXPECT_THAT(field_of(who), Not(HasSubstr("spf=")));
  EXPECT_THAT(field_of(who), Not(HasSubstr("dmarc=")));
}

// Without the client's address: what SPF could not have changed is decided all the same.
TEST(Identity, WhatSpfCouldNotChangeIsDecided) {
  const TestWorld world;
  const auto result = [&](std::string mail_from, std::string helo = "", bool sign = false) {
    std::string message = TestWorld::message("From: jo@shop.example\r\n");
    if (sign) message = world.signed_by("shop.example", message);
    const Connection connection{.helo = std::move(helo), .mail_from = std::move(mail_from)};
    return world.check(message, connection).dmarc.result;
  };
  EXPECT_EQ(result("<jo@shop.example>"), DmarcResult::undecided);
  EXPECT_EQ(result("<jo@mx.shop.example>"), DmarcResult::undecided);
  EXPECT_EQ(result("<any@attack.example>"), DmarcResult::fail);
  EXPECT_EQ(result("<any@shop.example(>"), DmarcResult::fail);
  EXPECT_EQ(result("<>"), DmarcResult::undecided);
  EXPECT_EQ(result("<>", "mx.shop.example"), DmarcResult::undecided);
  EXPECT_EQ(result("<>", "helo.attack.example"), DmarcResult::fail);
  EXPECT_EQ(result("", "", true), DmarcResult::pass);
  EXPECT_EQ(result("<any@attack.example>", "", true), DmarcResult::pass);
}

TEST(Identity, TheNullSenderIsPostmasterAtHelo) {
  const TestWorld world;
  Connection connection = TestWorld::shop();
  connection.mail_from = "<>";
  const Identity who =
      world.check(TestWorld::message("From: mailer-daemon@mx.shop.example\r\n"), connection);
  EXPECT_EQ(who.spf_mail_from.result, SpfResult::pass);
  EXPECT_EQ(who.spf_mail_from.domain, "mx.shop.example");
  EXPECT_EQ(who.dmarc.result, DmarcResult::pass);
  EXPECT_THAT(field_of(who), HasSubstr("smtp.mailfrom=postmaster@mx.shop.example"));
}

// E-C1 to E-C3: whoever has a login writes as himself, whatever the domain would vouch for.
TEST(Identity, WhoIsLoggedInWritesAsHimself) {
  const TestWorld world;
  const auto authentic = [&](std::string_view from, std::string login,
                             std::vector<std::string> addresses = {}) {
    Connection connection = TestWorld::shop();
    connection.login = std::move(login);
    connection.login_addresses = std::move(addresses);
    const Identity who =
        world.check(TestWorld::message(fmt::format("From: {}\r\n", from)), connection);
    EXPECT_EQ(who.dmarc.result, DmarcResult::none);
    EXPECT_EQ(who.spf_mail_from.result, SpfResult::none);
    EXPECT_THAT(field_of(who), Not(HasSubstr("spf=")));
    return who.author_is_authentic();
  };
  EXPECT_TRUE(authentic("Jo <jo@Shop.example>", "jo@shop.example"));
  EXPECT_FALSE(authentic("admin@shop.example", "jo@shop.example"));
  EXPECT_FALSE(authentic("jo@shop.example, admin@shop.example", "jo@shop.example"));
  EXPECT_FALSE(authentic("jo@shop.example\r\nFrom: admin@shop.example", "jo@shop.example"));
  EXPECT_FALSE(authentic("jo@shop.example", "jo"));
  EXPECT_FALSE(authentic("jo@shop.example", "@shop.example"));
  EXPECT_TRUE(authentic("news@shop.example", "jo", {"jo@shop.example", "news@shop.example"}));
  EXPECT_FALSE(authentic("news@shop.example", "news@shop.example", {"jo@shop.example"}));
  EXPECT_TRUE(authentic("anybody@shop.example", "gateway", {"@shop.example"}));
  EXPECT_FALSE(authentic("anybody@mx.shop.example", "gateway", {"@shop.example"}));
}

TEST(Identity, TheLoginIsWritten) {
  const TestWorld world;
  Connection connection = TestWorld::shop();
  connection.login = "jo doe";
  const Identity who = world.check(TestWorld::message("From: jo@shop.example\r\n"), connection);
  EXPECT_THAT(field_of(who), HasSubstr("auth=pass smtp.auth=\"jo doe\""));
}

// What nobody could find out is not a fail.
TEST(Identity, DnsDoesNotAnswer) {
  const TestWorld world("slow.example. TIMEOUT\n_dmarc.slow.example. TIMEOUT\n");
  Connection connection = TestWorld::shop();
  connection.mail_from = "jo@slow.example";
  const Identity who = world.check(TestWorld::message("From: jo@slow.example\r\n"), connection);
  EXPECT_EQ(who.spf_mail_from.result, SpfResult::temperror);
  EXPECT_EQ(who.dmarc.result, DmarcResult::temperror);
  EXPECT_THAT(field_of(who), HasSubstr("dmarc=temperror"));
}

// ---- E-S1 to E-S19 of the attack list

// The bank is in the From field; nothing the attacker controls may vouch for it.
void expect_forged(const TestWorld& world, const std::string& message, Connection connection) {
  const Identity who = world.check(message, std::move(connection));
  EXPECT_NE(who.dmarc.result, DmarcResult::pass) << message;
  EXPECT_FALSE(who.author_is_authentic());
  EXPECT_THAT(field_of(who), Not(HasSubstr("dmarc=pass"))) << message;
}

const std::string kBank = TestWorld::message("From: <admin@bank.example>\r\n");

// E-S1, C2: a pass of HELO is nobody's but HELO's.
TEST(Spoofing, HeloNeverFeedsDmarc) {
  const TestWorld world;
  const Identity who = world.check(kBank, TestWorld::attacker("<any@nowhere.bank.example>"));
  EXPECT_EQ(who.spf_helo.result, SpfResult::pass);
  EXPECT_EQ(who.spf_mail_from.result, SpfResult::none);
  EXPECT_EQ(who.dmarc.result, DmarcResult::fail);
  Connection as_bank = TestWorld::attacker("<any@attack.example>");
  as_bank.helo = "bank.example";
  expect_forged(world, kBank, as_bank);
}

// E-S2, E-S5, E-S6, E-S7.
TEST(Spoofing, MailFromInDisguise) {
  const TestWorld world;
  for (const std::string_view path :
       {"<(any@bank.example>", "<any@bank.example(.attack.example>", "<any@bank.example(>",
        "<any@attack.example\"@bank.example>", "<\"any@attack.example@bank.example>",
        "<@bank.example,@any.example:any@attack.example>", "<any@attack.example@bank.example>",
        "<any@bank.example>,<any@attack.example>", "<>", ""}) {
    expect_forged(world, kBank, TestWorld::attacker(std::string(path)));
  }
}

// E-S3, E-S4: what is no domain is not looked up and not written.
TEST(Spoofing, SignaturesWithOddDomains) {
  const TestWorld world;
  const std::string good = world.signed_by("attack.example", kBank);
  for (const auto& [from, to] : std::initializer_list<std::pair<std::string, std::string>>{
           {"d=attack.example", "d=bank.example'a.attack.example"},
           {"d=attack.example", "d=bank.example\"a.attack.example"},
           {"d=attack.example", "d=bank.example(.attack.example"},
           {"s=s;", std::string("s=s._domainkey.attack.example.\0.any; d=bank.example;", 53)},
           {"d=attack.example", "d=bank.example"}}) {
    std::string message = good;
    const size_t at = message.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    message.replace(at, from.size(), to);
    expect_forged(world, message, TestWorld::attacker());
  }
}

// E-S8 to E-S11, E-S14 to E-S19, C1: whoever reads the From field in whatever way.
TEST(Spoofing, FromFieldsInDisguise) {
  const TestWorld world;
  for (const std::string_view header :
       {"From: <a@attack.example>\r\nFrom: <admin@bank.example>\r\n",
        "From: <admin@bank.example>\r\nFrom: <a@attack.example>\r\n",
        "From : <a@attack.example>\r\nFrom: <admin@bank.example>\r\n",
        "From\r\n : <admin@bank.example>\r\nFrom: <a@attack.example>\r\n",
        "From: <a@attack.example>\r\nX: y\rFrom: <admin@bank.example>\r\n",
        "Fr\x7fom: <admin@bank.example>\r\nFrom: <a@attack.example>\r\n",
        "From: <a@attack.example>, <admin@bank.example>\r\n",
        "From: =?utf-8?q?=3Cadmin=40bank.example=3E?=, <a@attack.example>\r\n",
        "From: <@attack.example,@any.example:admin@bank.example>\r\n",
        "From: <admin@bank.example>\\,<a@attack.example>\r\n",
        "From: admin@bank.example,<a@attack.example>\r\n",
        "From: <a@attack.example>admin@bank.example\r\n",
        "From: admin@bank.example <a@attack.example>\r\n"}) {
    const std::string message = TestWorld::message(header);
    expect_forged(world, message, TestWorld::attacker());
    expect_forged(world, world.signed_by("attack.example", message), TestWorld::attacker());
    expect_forged(world, " From: admin@bank.example\r\n" + message, TestWorld::attacker());
  }
  const std::string plain = TestWorld::message("From: <a@attack.example>\r\n");
  EXPECT_TRUE(world.check(plain, TestWorld::attacker()).author_is_authentic());
  expect_forged(world, " From: admin@bank.example\r\n" + plain, TestWorld::attacker());
}

// E-S12, E-S13: Sender and Resent-From are nobody to DMARC.
TEST(Spoofing, OtherFieldsAreNotAsked) {
  const TestWorld world;
  for (const std::string_view name : {"Sender", "Resent-From", "Reply-To"}) {
    expect_forged(world,
                  TestWorld::message(fmt::format("From: <admin@bank.example>\r\n{}: "
                                                 "<a@attack.example>\r\n",
                                                 name)),
                  TestWorld::attacker());
  }
}

// Each author vouches for the message, or nobody does.
TEST(Spoofing, SeveralAuthors) {
  const TestWorld world;
  const std::string both = TestWorld::message(
      "From: jo@shop.example, ann@attack.example\r\nSender: jo@shop.example\r\n");
  EXPECT_FALSE(world.check(both, TestWorld::attacker()).author_is_authentic());
  const std::string twice =
      world.signed_by("shop.example", world.signed_by("attack.example", both));
  EXPECT_TRUE(world.check(twice, TestWorld::attacker()).author_is_authentic());
}

// C6: a signature that fails for one domain and one that passes for another are two.
TEST(Spoofing, AFailedSignatureLendsItsDomainToNone) {
  const TestWorld world;
  const std::string message = world.signed_by("attack.example", kBank);
  const std::string other = kBank + "Other words.\r\n";
  std::string forged = world.signed_by("bank.example", other);
  forged = forged.substr(0, forged.size() - other.size());
  expect_forged(world, forged + message, TestWorld::attacker());
  const Identity who = world.check(forged + message, TestWorld::attacker());
  ASSERT_EQ(who.dkim.size(), 2u);
  EXPECT_EQ(who.dkim[0].result, DkimResult::fail);
  EXPECT_EQ(who.dkim[1].result, DkimResult::pass);
}

// C2: what others wrote about a message is never read.
TEST(Spoofing, ForeignResultsAreNotBelieved) {
  const TestWorld world;
  expect_forged(world,
                "Authentication-Results: mx.example.org; dmarc=pass header.from=bank.example; "
                "dkim=pass header.d=bank.example\r\n" +
                    kBank,
                TestWorld::attacker());
}

// C3: what comes from outside cannot add a result of its own.
TEST(Spoofing, HeloAndMailFromStayValues) {
  const TestWorld world;
  Connection connection = TestWorld::attacker("<any@attack.example; dmarc=pass>");
  connection.helo = "x; dmarc=pass header.from=bank.example";
  connection.login = "a\r\nFrom: x; dmarc=pass";
  const Identity who = world.check(kBank, connection);
  const auto read = parse_authentication_results(field_of(who).substr(24));
  ASSERT_TRUE(read);
  for (const MethodResult& one : read->results) {
    EXPECT_FALSE(one.method == "dmarc" && one.result == "pass");
  }
}

// Who publishes what costs more DNS than a message may cost: nobody's word about the author is left
// unasked for that.
TEST(Spoofing, WhatTheSendersOwnNamesCostHidesNothing) {
  std::string records = "costly.example. TXT \"v=spf1";
  for (int i = 0; i < 9; ++i) records += fmt::format(" mx:m{}.costly.example", i);
  records += " -all\"\n";
  for (int i = 0; i < 9; ++i) {
    for (int j = 0; j < 10; ++j) {
      records += fmt::format("m{0}.costly.example. MX 10 h{0}{1}.costly.example.\n", i, j);
      records += fmt::format("h{0}{1}.costly.example. A 198.51.100.1\n", i, j);
    }
  }
  const TestWorld world(records);
  Connection connection = TestWorld::attacker("<any@bank.example>");
  connection.helo = "costly.example";
  const Identity by_helo = world.check(kBank, connection);
  EXPECT_EQ(by_helo.spf_helo.result, SpfResult::temperror);
  EXPECT_EQ(by_helo.spf_mail_from.result, SpfResult::fail);
  EXPECT_EQ(by_helo.dmarc.result, DmarcResult::fail);
  connection.mail_from = "<any@costly.example>";
  const Identity by_key = world.check(world.signed_by("bank.example", kBank, "none"), connection);
  EXPECT_EQ(by_key.spf_mail_from.result, SpfResult::temperror);
  ASSERT_EQ(by_key.dkim.size(), 1u);
  EXPECT_EQ(by_key.dkim[0].result, DkimResult::permerror);
  EXPECT_EQ(by_key.dmarc.result, DmarcResult::fail);
}

// ---- who reports

TEST(ProvenReporter, ASignatureOfTheListedDomain) {
  const TestWorld world;
  const std::string report = TestWorld::message("From: fbl@shop.example\r\n");
  const std::vector<std::string> listed{"Shop.Example."};
  const auto prove = [&](const std::string& message, const std::vector<std::string>& list) {
    return proven_reporter(world.check(message, {}), list);
  };
  EXPECT_EQ(prove(world.signed_by("shop.example", report), listed), "shop.example");
  EXPECT_EQ(
      prove(world.signed_by("shop.example", TestWorld::message("From: fbl@mx.shop.example\r\n")),
            listed),
      "shop.example");
  // Not listed, not signed, of another domain, in testing mode, changed.
  EXPECT_EQ(prove(world.signed_by("shop.example", report), {}), std::nullopt);
  EXPECT_EQ(prove(world.signed_by("shop.example", report), {"mx.shop.example"}), std::nullopt);
  EXPECT_EQ(prove(report, listed), std::nullopt);
  EXPECT_EQ(prove(world.signed_by("attack.example", report), {"attack.example"}), std::nullopt);
  EXPECT_EQ(prove(world.signed_by("shop.example", report, "t"), listed), std::nullopt);
  EXPECT_EQ(prove(world.signed_by("shop.example", report) + "more\r\n", listed), std::nullopt);
  // A name above the author's, never below.
  EXPECT_EQ(
      prove(world.signed_by("shop.example", TestWorld::message("From: a@example\r\n")), listed),
      std::nullopt);
}

TEST(ProvenReporter, NeverWhereTheAuthorIsUncertain) {
  const TestWorld world;
  const std::vector<std::string> listed{"shop.example"};
  const std::string report =
      world.signed_by("shop.example", TestWorld::message("From: fbl@shop.example\r\n"));
  EXPECT_TRUE(proven_reporter(world.check(report, {}), listed));
  EXPECT_FALSE(proven_reporter(world.check("From: fbl@shop.example\r\n" + report, {}), listed));
  EXPECT_FALSE(proven_reporter(world.check(" From: fbl@bank.example\r\n" + report, {}), listed));
  const std::string two = world.signed_by(
      "shop.example", TestWorld::message("From: fbl@shop.example, fbl@bank.example\r\n"));
  EXPECT_FALSE(proven_reporter(world.check(two, {}), listed));
}

// Feedback without SPF or DMARC: an SPF pass proves nothing here.
TEST(ProvenReporter, SpfIsNoProof) {
  const TestWorld world;
  const Identity who =
      world.check(TestWorld::message("From: fbl@shop.example\r\n"), TestWorld::shop());
  EXPECT_TRUE(who.author_is_authentic());
  EXPECT_FALSE(proven_reporter(who, std::vector<std::string>{"shop.example"}));
}

}  // namespace
}  // namespace watchpost::auth
