#include "border/blocklists.h"

#include "auth/results/test_world.h"
#include "dns/zone_file.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace watchpost::border {
namespace {

using State = Listing::State;

State judged(std::vector<std::string> addresses, std::vector<std::string> selected = {}) {
  dns::Answer answer;
  answer.outcome = dns::Outcome::found;
  for (const std::string& one : addresses) answer.addresses.push_back(*parse_ip_address(one));
  std::string why;
  const State state = judge_listing(answer, selected, why);
  EXPECT_EQ(state == State::unknown, !why.empty());
  return state;
}

TEST(Blocklists, AnswersMeanWhatRfc5782Says) {
  EXPECT_EQ(judged({"127.0.0.2"}), State::listed);
  EXPECT_EQ(judged({"127.0.0.4", "127.0.0.10"}), State::listed);
  EXPECT_EQ(judged({"127.255.255.254"}), State::unknown);
  EXPECT_EQ(judged({"127.255.255.252", "127.0.0.2"}), State::unknown);
  EXPECT_EQ(judged({"127.0.1.255"}), State::unknown);
  EXPECT_EQ(judged({"192.0.2.1"}), State::unknown);
  EXPECT_EQ(judged({"127.0.0.2", "192.0.2.1"}), State::unknown);
}

TEST(Blocklists, AnswersAreSelected) {
  EXPECT_EQ(judged({"127.0.0.2"}, {"127.0.0.2"}), State::listed);
  EXPECT_EQ(judged({"127.0.0.3"}, {"127.0.0.2"}), State::not_listed);
  EXPECT_EQ(judged({"127.0.0.3"}, {"127.0.1.0/24", "127.0.0.0/29"}), State::listed);
  EXPECT_EQ(judged({"127.0.0.9"}, {"127.0.0.0/29"}), State::not_listed);
  EXPECT_EQ(judged({"127.255.255.254"}, {"127.255.255.254"}), State::unknown);
}

TEST(Blocklists, NoAnswerIsNoListing) {
  std::string why;
  dns::Answer answer;
  answer.outcome = dns::Outcome::no_such_name;
  EXPECT_EQ(judge_listing(answer, {}, why), State::not_listed);
  answer.outcome = dns::Outcome::no_data;
  EXPECT_EQ(judge_listing(answer, {}, why), State::not_listed);
  answer.outcome = dns::Outcome::failed;
  answer.why = "too late";
  EXPECT_EQ(judge_listing(answer, {}, why), State::unknown);
  EXPECT_EQ(why, "too late");
}

struct Asking : testing::Test {
  std::vector<Listing> ask(const ListedThings& things) {
    return *value_now(ask_blocklists(lists, things, *zone, budget));
  }
  static ListedThings of(const std::string& ip, std::vector<std::string> domains = {}) {
    return {.ip = parse_ip_address(ip), .domains = std::move(domains)};
  }

  std::unique_ptr<dns::ZoneFile> zone = *dns::ZoneFile::parse(R"($TTL 60
1.2.0.192.zen.example. A 127.0.0.2
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.zen.example. A 127.0.0.3
bad.example.dbl.example. A 127.0.1.2
slow.example.dbl.example. TIMEOUT
)");
  std::vector<BlocklistSettings> lists{
      {.name = "zen", .zone = "zen.example", .of = "ip", .answers = {}},
      {.name = "", .zone = "dbl.example", .of = "domain", .answers = {}}};
  dns::Budget budget;
};

TEST_F(Asking, AddressesAreAskedBackwards) {
  EXPECT_EQ(ask(of("192.0.2.1")).front().state, State::listed);
  EXPECT_EQ(ask(of("192.0.2.2")).front().state, State::not_listed);
  EXPECT_EQ(ask(of("2001:db8::1")).front().state, State::listed);
  EXPECT_EQ(ask(of("2001:db8::2")).front().state, State::not_listed);
}

TEST_F(Asking, DomainsAreAskedEach) {
  const auto all = ask({.ip = {}, .domains = {"good.example", "bad.example", "slow.example"}});
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].state, State::not_listed);
  EXPECT_EQ(all[1].state, State::listed);
  EXPECT_EQ(all[1].list, "dbl.example");
  EXPECT_EQ(all[1].about, "bad.example");
  EXPECT_EQ(all[1].answers, std::vector{*parse_ip_address("127.0.1.2")});
  EXPECT_EQ(all[2].state, State::unknown);
  EXPECT_EQ(budget.made, 3u);
}

TEST_F(Asking, PastTheBudgetNobodyKnows) {
  budget.queries = 1;
  const auto all = ask(of("192.0.2.1", {"bad.example"}));
  EXPECT_EQ(all[0].state, State::listed);
  EXPECT_EQ(all[1].state, State::unknown);
}

TEST(Blocklists, WhatIsLookedUpOfAMessage) {
  const auth::TestWorld world;
  const auto things = listed_things(world.check(
      world.signed_by(
          "shop.example",
          world.signed_by("attack.example", auth::TestWorld::message("From: jo@shop.example\r\n"))),
      {.ip = parse_ip_address("::ffff:203.0.113.1"),
       .helo = "x.example",
       .mail_from = "a@b.example"}));
  EXPECT_EQ(things.ip, parse_ip_address("203.0.113.1"));
  EXPECT_EQ(things.domains,
            (std::vector<std::string>{"shop.example", "b.example", "attack.example"}));
}

TEST(Blocklists, OfUnprovenSignersNobodyIsAsked) {
  const auth::TestWorld world;
  std::string text =
      world.signed_by("attack.example", auth::TestWorld::message("From: jo@shop.example\r\n"));
  text += "appended\r\n";
  EXPECT_EQ(listed_things(world.check(text, {})).domains, std::vector<std::string>{"shop.example"});
}

TEST(Blocklists, PrivateAddressesAreNotTold) {
  for (const char* const ip : {"10.1.2.3", "127.0.0.1", "192.168.0.1", "172.20.0.1", "::1",
                               "fd00::1", "fe80::1", "::ffff:10.0.0.1"}) {
    auth::Identity identity;
    identity.connection.ip = parse_ip_address(ip);
    EXPECT_FALSE(listed_things(identity).ip) << ip;
  }
}

TEST(Blocklists, NoMoreThanTenDomains) {
  auth::Identity identity;
  for (int i = 0; i < 50; ++i) {
    identity.authors.domains.push_back("d" + std::to_string(i) + ".example");
  }
  EXPECT_EQ(listed_things(identity).domains.size(), kMostListedDomains);
}

TEST(Blocklists, SettingsAreChecked) {
  const auto about = [](const BlocklistSettings& settings) {
    const auto checked = check(settings);
    return checked ? std::string() : checked.error().about;
  };
  BlocklistSettings fine;
  fine.zone = "zen.example";
  fine.answers = {"127.0.0.2", "127.0.0.0/24"};
  EXPECT_EQ(about(fine), "");
  for (const char* const zone : {"", "a b", "a..b"}) {
    BlocklistSettings bad = fine;
    bad.zone = zone;
    EXPECT_EQ(about(bad), "zone") << zone;
  }
  for (const char* const one :
       {"", "x", "128.0.0.1", "127.0.0.0/33", "127.0.0.0/7", "::1", "127.0.0.2/", "127.0.0.2/8x"}) {
    BlocklistSettings bad = fine;
    bad.answers = {one};
    EXPECT_EQ(about(bad), "answers") << one;
  }
  BlocklistSettings named = fine;
  named.name = "a b";
  EXPECT_EQ(about(named), "name");
}

}  // namespace
}  // namespace watchpost::border
