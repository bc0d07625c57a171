#include "dns/real_resolver.h"

#include "dns/test_asking.h"
#include "dns/test_server.h"

#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::dns {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string kAsked = pointer_to(12);
// Whoever is to answer does so well within this.
constexpr Duration kPatience = 20s;
// Whoever is not to answer is waited for as long as this.
constexpr Duration kShort = 400ms;

ResolverSettings settings_for(const TestServer& server, Duration timeout = kPatience) {
  ResolverSettings settings;
  settings.servers = {server.address()};
  settings.timeout = timeout;
  return settings;
}

// Asks again after a twelfth of a second, and for as long all the same.
ResolverSettings soon_again(ResolverSettings settings) {
  settings.tries = 8;
  return settings;
}

std::string text_reply(const Heard& heard, std::string_view text) {
  return heard.reply().answer(kAsked, 16, 300, wire_string(text)).bytes();
}

TEST(RealResolver, KeepsTheFourOutcomesApart) {
  TestServer server([](const Heard& heard) -> std::vector<Said> {
    if (heard.name == "found.example") return {{text_reply(heard, "x")}};
    if (heard.name == "error.example") return {{heard.reply().rcode(2).bytes()}};
    auto nothing = heard.reply().authority(wire_name("example"), kSoa, 60, wire_soa("ns", 30));
    if (heard.name == "none.example") nothing.rcode(3);
    return {{nothing.bytes()}};
  });
  Asking asking(settings_for(server));
  const auto found = asking.ask("Found.Example.", RecordType::txt);
  EXPECT_EQ(found->outcome, Outcome::found);
  EXPECT_THAT(found->texts, ElementsAre("x"));
  EXPECT_EQ(found->ttl, 300U);
  EXPECT_EQ(asking.ask("empty.example", RecordType::txt)->outcome, Outcome::no_data);
  EXPECT_EQ(asking.ask("none.example", RecordType::txt)->outcome, Outcome::no_such_name);
  const auto error = asking.ask("error.example", RecordType::txt);
  EXPECT_EQ(error->outcome, Outcome::failed);
  EXPECT_THAT(error->why, HasSubstr("SERVFAIL"));
  EXPECT_EQ(server.heard(), 4U);
  EXPECT_EQ(asking.ask("a..b", RecordType::txt)->outcome, Outcome::no_such_name);
  EXPECT_EQ(server.heard(), 4U);
}

TEST(RealResolver, WhatIsKnownIsThereAtOnce) {
  TestServer server([](const Heard& heard) -> std::vector<Said> {
    if (heard.name == "error.example") return {{heard.reply().rcode(2).bytes()}};
    return {{text_reply(heard, "x")}};
  });
  Asking asking(settings_for(server));
  for (const std::string name : {"a.example", "error.example"}) {
    const auto first = asking.ask(name, RecordType::txt);
    const auto second = value_now(asking.resolver->look_up(name, RecordType::txt, asking.budget));
    ASSERT_TRUE(second);
    EXPECT_EQ(*second, first);
  }
  EXPECT_EQ(server.heard(), 2U);
  EXPECT_EQ(asking.budget.made, 4U);
  const std::string shown = asking.metrics.text();
  EXPECT_THAT(shown, HasSubstr("watchpost_dns_lookups_total{from=\"cache\"} 2"));
  EXPECT_THAT(shown, HasSubstr("watchpost_dns_lookups_total{from=\"servers\"} 2"));
  EXPECT_THAT(shown, HasSubstr("watchpost_dns_answers_total{outcome=\"failed\"} 1"));
}

TEST(RealResolver, RepliesThatAreNotForUsAreNotHeard) {
  TestServer server([](const Heard& heard) -> std::vector<Said> {
    const Heard other_id{
        .id = static_cast<uint16_t>(heard.id + 1), .name = heard.name, .type = heard.type};
    const Heard other_name{.id = heard.id, .name = "other.example", .type = heard.type};
    const Heard other_type{.id = heard.id, .name = heard.name, .type = RecordType::mx};
    return {{text_reply(other_id, "lie")},
            {text_reply(other_name, "lie")},
            {text_reply(other_type, "lie")},
            {text_reply(heard, "lie"), true},
            {""},
            {"short"},
            {text_reply(heard, "truth")}};
  });
  Asking asking(settings_for(server));
  EXPECT_THAT(asking.ask("a.example", RecordType::txt)->texts, ElementsAre("truth"));
}

TEST(RealResolver, LiesInTheRightFormFail) {
  const auto says = [](const Heard& heard) -> std::vector<Said> {
    auto reply = heard.reply();
    if (heard.name == "echo.example") return {{reply.flags(0x0120).bytes()}};
    if (heard.name == "loop.example") reply.answer(pointer_to(12 + 14 + 4), 16, 5, "\1x");
    if (heard.name == "counts.example") reply.counts(500, 0, 0);
    if (heard.name == "label.example") reply.answer(kAsked, 16, 5, "\x20x");
    if (heard.name == "refer.example") reply.authority(wire_name("example"), 2, 5, wire_name("n"));
    return {{reply.bytes()}};
  };
  TestServer server(says);
  Asking asking(settings_for(server, kShort));
  for (const auto& [name, why] :
       {std::pair("echo.example", "is not for this question"),
        std::pair("loop.example", "is malformed"), std::pair("counts.example", "is malformed"),
        std::pair("label.example", "is malformed"), std::pair("refer.example", "only refers")}) {
    const auto answer = asking.ask(name, RecordType::txt);
    EXPECT_EQ(answer->outcome, Outcome::failed) << name;
    EXPECT_THAT(answer->why, HasSubstr(why)) << name;
  }
}

TEST(RealResolver, SilenceFails) {
  TestServer server([](const Heard&) -> std::vector<Said> { return {}; });
  Asking asking(settings_for(server, kShort));
  const auto answer = asking.ask("a.example", RecordType::txt);
  EXPECT_EQ(answer->outcome, Outcome::failed);
  EXPECT_EQ(answer->why, "No answer came in time for a.example TXT from " + server.address());
  const size_t heard = server.heard();
  EXPECT_GE(heard, 1U);
  EXPECT_LE(heard, 3U);
  // It is not asked for again at once.
  EXPECT_EQ(asking.ask("a.example", RecordType::txt), answer);
  EXPECT_EQ(server.heard(), heard);
}

TEST(RealResolver, AServerThatIsNotThereFails) {
  std::string address;
  {
    TestServer server([](const Heard&) -> std::vector<Said> { return {}; });
    address = server.address();
  }
  ResolverSettings settings;
  settings.servers = {address};
  settings.timeout = kShort;
  Asking asking(settings);
  const auto answer = asking.ask("a.example", RecordType::txt);
  EXPECT_EQ(answer->outcome, Outcome::failed);
  EXPECT_EQ(answer->why, "The name server " + address + " could not be reached");
}

TEST(RealResolver, AnswersThatCameLateCount) {
  Heard first;
  TestServer server([&first](const Heard& heard) -> std::vector<Said> {
    if (heard.times == 1) {
      first = heard;
      return {};
    }
    return {{text_reply(first, "late")}};
  });
  Asking asking(soon_again(settings_for(server)));
  EXPECT_THAT(asking.ask("a.example", RecordType::txt)->texts, ElementsAre("late"));
}

TEST(RealResolver, AsksByTcpWhatIsCutShort) {
  const std::string large(250, 'k');
  TestServer server([&](const Heard& heard) -> std::vector<Said> {
    if (!heard.tcp) return {{heard.reply().flags(0x8380).bytes()}};
    auto reply = heard.reply();
    // Of the huge one 65 kB, each record twice as large in memory as its part of the message.
    const bool huge = heard.name.size() > 200;
    for (int i = 0; i < (huge ? 4000 : 40); ++i) {
      reply.answer(kAsked, number(heard.type), 300,
                   huge ? two_bytes(1) + kAsked : wire_string(large));
    }
    return {{reply.bytes()}};
  });
  Asking asking(settings_for(server));
  const auto answer = asking.ask("a.example", RecordType::txt);
  ASSERT_EQ(answer->texts.size(), 40U) << answer->why;
  EXPECT_EQ(answer->texts[39], large);
  std::string name(250, 'a');
  for (size_t dot = 60; dot < name.size(); dot += 61) name[dot] = '.';
  const auto huge = asking.ask(name, RecordType::mx);
  EXPECT_EQ(huge->outcome, Outcome::failed);
  EXPECT_THAT(huge->why, HasSubstr("is too large"));
}

TEST(RealResolver, LargeTextsByTcpAreWhole) {
  TestServer server([](const Heard& heard) -> std::vector<Said> {
    if (!heard.tcp) return {{heard.reply().flags(0x8380).bytes()}};
    const std::string string = wire_string(std::string(255, heard.name[0]));
    std::string data;
    // 16 kB, or all that a message can hold.
    for (int i = 0; i < (heard.name[0] == 'a' ? 64 : 255); ++i) data += string;
    return {{heard.reply().answer(kAsked, 16, 300, data).bytes()}};
  });
  Asking asking(settings_for(server));
  EXPECT_THAT(asking.ask("a.example", RecordType::txt)->texts,
              ElementsAre(std::string(size_t{64} * 255, 'a')));
  EXPECT_THAT(asking.ask("b.example", RecordType::txt)->texts,
              ElementsAre(std::string(size_t{255} * 255, 'b')));
}

TEST(RealResolver, CutShortAndTcpRefusedFails) {
  TestServer server(
      [](const Heard& heard) -> std::vector<Said> {
        return {{heard.reply().flags(0x8380).bytes()}};
      },
      false);
  Asking asking(settings_for(server, kShort));
  EXPECT_EQ(asking.ask("a.example", RecordType::txt)->outcome, Outcome::failed);
}

TEST(RealResolver, FollowsAliasesFromReplyToReply) {
  TestServer server([](const Heard& heard) -> std::vector<Said> {
    if (heard.name == "end.example") return {{text_reply(heard, "x")}};
    auto reply = heard.reply();
    if (heard.name == "a.example") reply.answer(kAsked, 5, 7, wire_name("End.example"));
    if (heard.name == "loop.example") reply.answer(kAsked, 5, 7, wire_name("pool.example"));
    if (heard.name == "pool.example") reply.answer(kAsked, 5, 7, wire_name("loop.example"));
    return {{reply.bytes()}};
  });
  Asking asking(settings_for(server));
  const auto found = asking.ask("a.example", RecordType::txt);
  EXPECT_THAT(found->texts, ElementsAre("x"));
  EXPECT_EQ(found->ttl, 7U);
  const size_t heard = server.heard();
  EXPECT_EQ(heard, 2U);
  const auto loop = asking.ask("loop.example", RecordType::txt);
  EXPECT_EQ(loop->outcome, Outcome::failed);
  EXPECT_EQ(loop->why, "loop.example TXT leads through more than 8 CNAMEs");
  EXPECT_EQ(server.heard() - heard, 9U);
}

TEST(RealResolver, WhatChangesWithEveryAnswerStaysForAMoment) {
  TestServer server([](const Heard& heard) -> std::vector<Said> {
    return {
        {heard.reply().answer(kAsked, 16, 0, wire_string(std::to_string(heard.times))).bytes()}};
  });
  Asking asking(settings_for(server));
  const auto first = asking.ask("a.example", RecordType::txt);
  EXPECT_THAT(first->texts, ElementsAre("1"));
  EXPECT_EQ(first->ttl, 5U);
  EXPECT_EQ(asking.ask("a.example", RecordType::txt), first);
}

TEST(RealResolver, TheCaseOfLettersIsNoDifference) {
  TestServer server([](const Heard& heard) -> std::vector<Said> {
    Heard mixed = heard;
    mixed.name = "A.eXaMPle";
    return {{text_reply(mixed, "x")}};
  });
  Asking asking(settings_for(server));
  EXPECT_THAT(asking.ask("a.ExAmple", RecordType::txt)->texts, ElementsAre("x"));
}

TEST(RealResolver, GoesOnToTheNextServer) {
  TestServer silent([](const Heard&) -> std::vector<Said> { return {}; });
  TestServer broken(
      [](const Heard& heard) -> std::vector<Said> { return {{heard.reply().rcode(2).bytes()}}; });
  TestServer good(
      [](const Heard& heard) -> std::vector<Said> { return {{text_reply(heard, "x")}}; });
  ResolverSettings settings = soon_again(settings_for(silent));
  settings.servers = {silent.address(), broken.address(), good.address()};
  Asking asking(settings);
  EXPECT_THAT(asking.ask("a.example", RecordType::txt)->texts, ElementsAre("x"));
  EXPECT_GE(silent.heard(), 1U);
  EXPECT_GE(broken.heard(), 1U);
}

TEST(RealResolver, AsksWithoutEdnsWhereItIsNotKnown) {
  std::atomic<int> with_edns = 0;
  TestServer server([&with_edns](const Heard& heard) -> std::vector<Said> {
    if (!heard.edns) return {{text_reply(heard, "x")}};
    ++with_edns;
    return {{heard.reply().rcode(1).bytes()}};
  });
  Asking asking(settings_for(server));
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(asking.ask("a" + std::to_string(i), RecordType::txt)->texts, ElementsAre("x"));
  }
  EXPECT_LE(with_edns, 2);
}

TEST(RealResolver, BelievesInValidationOnlyNearby) {
  TestServer server([](const Heard& heard) -> std::vector<Said> {
    return {{heard.reply()
                 .flags(heard.name == "ad.example" ? 0x81A0 : 0x8180)
                 .answer(kAsked, 16, 5, wire_string("x"))
                 .bytes()}};
  });
  Asking asking(settings_for(server));
  EXPECT_TRUE(asking.ask("ad.example", RecordType::txt)->authentic);
  EXPECT_FALSE(asking.ask("other.example", RecordType::txt)->authentic);
}

}  // namespace
}  // namespace watchpost::dns
