#include "dns/packet.h"

#include "dns/name.h"
#include "dns/test_reply.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::dns {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr uint16_t kId = 0x1234;
// Where the name of the question stands, for pointers.
constexpr uint32_t kAsked = 12;

TestReply reply_for(std::string_view name, RecordType type) { return {kId, name, type}; }

Reply read(const TestReply& reply, std::string name, RecordType type) {
  return read_reply(as_bytes(reply.bytes()), kId, {std::move(name), type});
}
Reply read(const std::string& bytes, std::string name, RecordType type) {
  return read_reply(as_bytes(bytes), kId, {std::move(name), type});
}

TEST(Packet, WritesQueries) {
  const std::string plain = write_query(kId, {"ab.example", RecordType::txt}, false);
  EXPECT_EQ(plain, two_bytes(kId) + two_bytes(0x0120) + two_bytes(1) + two_bytes(0) + two_bytes(0) +
                       two_bytes(0) + wire_name("ab.example") + two_bytes(16) + two_bytes(1));
  const std::string edns = write_query(kId, {"ab.example", RecordType::txt}, true);
  EXPECT_EQ(edns.size(), plain.size() + 11);
  EXPECT_EQ(edns.substr(plain.size()),
            std::string(1, '\0') + two_bytes(41) + two_bytes(1232) + four_bytes(0) + two_bytes(0));
  std::string longest(253, 'a');
  for (size_t dot = 63; dot < longest.size(); dot += 64) longest[dot] = '.';
  ASSERT_TRUE(make_key(longest));
  EXPECT_EQ(write_query(kId, {longest, RecordType::a}, false).size(), 12U + 255 + 4);
}

TEST(Packet, ReadsEachType) {
  const std::string v6(16, '\x20');
  auto reply = read(reply_for("a.example", RecordType::a)
                        .answer(pointer_to(kAsked), 1, 300, "\xC0\x00\x02\x01")
                        .answer(pointer_to(kAsked), 1, 200, "\xC0\x00\x02\x02"),
                    "a.example", RecordType::a);
  // "\x00" ends a literal: the data above is short, and that is refused.
  EXPECT_EQ(reply.answer.outcome, Outcome::failed);
  const std::string one("\xC0\x00\x02\x01", 4);
  const std::string two("\xC0\x00\x02\x02", 4);
  reply = read(reply_for("a.example", RecordType::a)
                   .answer(pointer_to(kAsked), 1, 300, one)
                   .answer(pointer_to(kAsked), 1, 200, two),
               "a.example", RecordType::a);
  EXPECT_THAT(reply.answer.addresses,
              ElementsAre(*parse_ip_address("192.0.2.1"), *parse_ip_address("192.0.2.2")));
  EXPECT_EQ(reply.answer.ttl, 200U);
  EXPECT_FALSE(reply.answer.authentic);
  reply = read(reply_for("a.example", RecordType::aaaa).answer(pointer_to(kAsked), 28, 5, v6),
               "a.example", RecordType::aaaa);
  EXPECT_THAT(reply.answer.addresses,
              ElementsAre(*parse_ip_address("2020:2020:2020:2020:2020:2020:2020:2020")));
  reply = read(reply_for("a.example", RecordType::txt)
                   .answer(pointer_to(kAsked), 16, 5, wire_string("v=spf1 ") + wire_string("-all"))
                   .answer(pointer_to(kAsked), 16, 5, wire_string("")),
               "a.example", RecordType::txt);
  EXPECT_THAT(reply.answer.texts, ElementsAre("v=spf1 -all", ""));
  reply = read(reply_for("a.example", RecordType::mx)
                   .answer(pointer_to(kAsked), 15, 5, two_bytes(20) + wire_name("B.Example"))
                   .answer(pointer_to(kAsked), 15, 5, two_bytes(10) + pointer_to(kAsked))
                   .answer(pointer_to(kAsked), 15, 5, two_bytes(0) + wire_name("")),
               "a.example", RecordType::mx);
  ASSERT_EQ(reply.answer.exchanges.size(), 3U);
  EXPECT_EQ(reply.answer.exchanges[0].host, "");
  EXPECT_EQ(reply.answer.exchanges[1].host, "a.example");
  EXPECT_EQ(reply.answer.exchanges[2].host, "b.example");
  for (const RecordType type : {RecordType::ptr, RecordType::ns, RecordType::cname}) {
    reply = read(
        reply_for("a.example", type).answer(pointer_to(kAsked), number(type), 5, wire_name("X.y")),
        "a.example", type);
    EXPECT_THAT(reply.answer.names, ElementsAre("x.y"));
  }
}

TEST(Packet, TheCaseOfLettersIsNoDifference) {
  const auto reply = read(reply_for("A.eXample", RecordType::txt)
                              .answer(wire_name("a.EXAMPLE"), 16, 5, wire_string("x")),
                          "a.example", RecordType::txt);
  EXPECT_THAT(reply.answer.texts, ElementsAre("x"));
}

TEST(Packet, OddNamesAreEscaped) {
  std::string odd = wire_name("a_b.c");
  odd[2] = '.';
  const auto reply = read(reply_for("a.example", RecordType::ptr)
                              .answer(pointer_to(kAsked), 12, 5, odd)
                              .answer(pointer_to(kAsked), 12, 5, wire_name("x\\ \n\xC3.y")),
                          "a.example", RecordType::ptr);
  EXPECT_THAT(reply.answer.names, ElementsAre("a\\.b.c", "x\\\\\\032\\010\\195.y"));
}

TEST(Packet, TellsApartWhatIsNotThere) {
  auto reply = read(reply_for("a.example", RecordType::a)
                        .rcode(3)
                        .authority(wire_name("example"), kSoa, 300, wire_soa("ns", 60)),
                    "a.example", RecordType::a);
  EXPECT_EQ(reply.answer.outcome, Outcome::no_such_name);
  EXPECT_EQ(reply.answer.ttl, 60U);
  reply = read(reply_for("a.example", RecordType::a)
                   .authority(wire_name("example"), kSoa, 30, wire_soa("ns", 60)),
               "a.example", RecordType::a);
  EXPECT_EQ(reply.answer.outcome, Outcome::no_data);
  EXPECT_EQ(reply.answer.ttl, 30U);
  // Without an SOA, and with one of elsewhere.
  reply = read(reply_for("a.example", RecordType::a), "a.example", RecordType::a);
  EXPECT_EQ(reply.answer.outcome, Outcome::no_data);
  EXPECT_EQ(reply.answer.ttl, 0U);
  reply = read(reply_for("a.example", RecordType::a)
                   .rcode(3)
                   .authority(wire_name("b.example"), kSoa, 300, wire_soa("ns", 60)),
               "a.example", RecordType::a);
  EXPECT_EQ(reply.answer.outcome, Outcome::no_such_name);
  EXPECT_EQ(reply.answer.ttl, 0U);
  // Records of others, and of other types, are no answer.
  reply = read(reply_for("a.example", RecordType::txt)
                   .answer(wire_name("b.example"), 16, 5, wire_string("x"))
                   .answer(pointer_to(kAsked), 99, 5, wire_string("x")),
               "a.example", RecordType::txt);
  EXPECT_EQ(reply.answer.outcome, Outcome::no_data);
}

TEST(Packet, ReferralsSayNothing) {
  const auto referral = [] {
    return reply_for("a.example", RecordType::a)
        .authority(wire_name("example"), 2, 300, wire_name("ns.example"));
  };
  auto reply = read(referral(), "a.example", RecordType::a);
  EXPECT_EQ(reply.answer.outcome, Outcome::failed);
  EXPECT_THAT(reply.answer.why, HasSubstr("only refers to other name servers"));
  // From the one who knows it is an answer.
  reply = read(referral().flags(0x8580), "a.example", RecordType::a);
  EXPECT_EQ(reply.answer.outcome, Outcome::no_data);
}

TEST(Packet, FollowsAliasesInAnyOrder) {
  const auto reply = read(reply_for("a.example", RecordType::txt)
                              .answer(wire_name("c.example"), 16, 50, wire_string("x"))
                              .answer(wire_name("b.example"), 5, 40, wire_name("c.example"))
                              .answer(pointer_to(kAsked), 5, 60, wire_name("B.example")),
                          "a.example", RecordType::txt);
  EXPECT_THAT(reply.answer.texts, ElementsAre("x"));
  EXPECT_EQ(reply.answer.ttl, 40U);
  EXPECT_EQ(reply.aliases, 2U);
}

TEST(Packet, SaysWhereAliasesLeadOn) {
  const auto to = [](std::string_view target) {
    return reply_for("a.example", RecordType::txt)
        .answer(pointer_to(kAsked), 5, 60, wire_name(target));
  };
  auto reply = read(to("B.example"), "a.example", RecordType::txt);
  EXPECT_EQ(reply.alias, "b.example");
  EXPECT_EQ(reply.aliases, 1U);
  // Nothing is there: the SOA of the last name says so; NXDOMAIN is about the last name.
  reply = read(to("b.example").authority(wire_name("example"), kSoa, 30, wire_soa("ns", 60)),
               "a.example", RecordType::txt);
  EXPECT_EQ(reply.alias, "");
  EXPECT_EQ(reply.answer.outcome, Outcome::no_data);
  reply = read(to("b.example").rcode(3), "a.example", RecordType::txt);
  EXPECT_EQ(reply.answer.outcome, Outcome::no_such_name);
  // The SOA of the first name says nothing of the last.
  reply = read(to("b.other").authority(wire_name("example"), kSoa, 30, wire_soa("ns", 60)),
               "a.example", RecordType::txt);
  EXPECT_EQ(reply.alias, "b.other");
  for (const std::string_view target : {"", "x y.example"}) {
    reply = read(to(target), "a.example", RecordType::txt);
    EXPECT_EQ(reply.answer.outcome, Outcome::failed) << target;
    EXPECT_EQ(reply.alias, "");
  }
}

TEST(Packet, EightAliasesAndNotNine) {
  const auto chain = [](int length) {
    auto reply = reply_for("a0", RecordType::txt);
    for (int i = 0; i < length; ++i) {
      reply.answer(wire_name("a" + std::to_string(i)), 5, 60,
                   wire_name("a" + std::to_string(i + 1)));
    }
    reply.answer(wire_name("a" + std::to_string(length)), 16, 60, wire_string("x"));
    return read(reply, "a0", RecordType::txt).answer;
  };
  EXPECT_EQ(chain(8).outcome, Outcome::found);
  EXPECT_EQ(chain(9).outcome, Outcome::failed);
  EXPECT_THAT(chain(9).why, HasSubstr("more than 8 CNAMEs"));
  const auto loop = read(
      reply_for("a.example", RecordType::txt).answer(pointer_to(kAsked), 5, 60, pointer_to(kAsked)),
      "a.example", RecordType::txt);
  EXPECT_EQ(loop.answer.outcome, Outcome::failed);
}

TEST(Packet, IsForTheQuestionOrNotUsed) {
  const std::string data = wire_string("x");
  const auto good = [&] {
    return reply_for("a.example", RecordType::txt).answer(pointer_to(kAsked), 16, 5, data);
  };
  ASSERT_EQ(read(good(), "a.example", RecordType::txt).answer.outcome, Outcome::found);
  const auto refused = [](const TestReply& reply) {
    const auto read_one = read(reply, "a.example", RecordType::txt);
    return read_one.answer.outcome == Outcome::failed &&
           read_one.answer.why ==
               "The name server's answer for a.example TXT is not for this question";
  };
  EXPECT_TRUE(refused(TestReply(kId + 1, "a.example", RecordType::txt)));
  EXPECT_TRUE(refused(good().flags(0x0180)));  // a query
  EXPECT_TRUE(refused(good().flags(0xA180)));  // NOTIFY
  EXPECT_TRUE(refused(reply_for("b.example", RecordType::txt)));
  EXPECT_TRUE(refused(reply_for("a.example", RecordType::mx)));
  EXPECT_TRUE(refused(good().question("", 0)));
  const std::string asked = wire_name("a.example") + two_bytes(16);
  EXPECT_TRUE(refused(good().question(asked + two_bytes(3))));  // class CH
  EXPECT_TRUE(refused(good().question(asked + two_bytes(1) + asked + two_bytes(1), 2)));
}

TEST(Packet, ErrorsOfTheServerFail) {
  const auto with = [](uint32_t rcode) {
    return reply_for("a.example", RecordType::a).rcode(rcode);
  };
  const auto servfail = read(with(2), "a.example", RecordType::a);
  EXPECT_EQ(servfail.answer.why, "The name server's answer for a.example A is SERVFAIL (2)");
  EXPECT_FALSE(servfail.refuses_edns);
  EXPECT_TRUE(servfail.is_final);
  EXPECT_FALSE(read(with(4), "a.example", RecordType::a).refuses_edns);
  EXPECT_THAT(read(with(5), "a.example", RecordType::a).answer.why, HasSubstr("REFUSED"));
  EXPECT_TRUE(read(with(1), "a.example", RecordType::a).refuses_edns);
  const auto opt = [](uint32_t code) { return code << 24; };
  EXPECT_FALSE(read(with(1).additional(wire_name(""), 41, opt(0), ""), "a.example", RecordType::a)
                   .refuses_edns);
  // BADVERS is 16: a code of the OPT and of the header together.
  const auto bad_version =
      read(with(0).additional(wire_name(""), 41, opt(1), ""), "a.example", RecordType::a);
  EXPECT_THAT(bad_version.answer.why, HasSubstr("(16)"));
  const std::string one("\xC0\x00\x02\x01", 4);
  EXPECT_THAT(
      read(with(3).answer(pointer_to(kAsked), 1, 5, one), "a.example", RecordType::a).answer.why,
      HasSubstr("contradicts itself"));
}

TEST(Packet, WhatIsCutFails) {
  const std::string whole =
      reply_for("a.example", RecordType::mx)
          .answer(pointer_to(kAsked), 15, 5, two_bytes(20) + wire_name("b.example"))
          .authority(wire_name("example"), kSoa, 30, wire_soa("ns", 60))
          .additional(wire_name(""), 41, 0, "")
          .bytes();
  ASSERT_EQ(read(whole, "a.example", RecordType::mx).answer.outcome, Outcome::found);
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(read(whole.substr(0, size), "a.example", RecordType::mx).answer.outcome,
              Outcome::failed)
        << size;
  }
  // Bytes behind the last record do no harm.
  EXPECT_EQ(read(whole + "x", "a.example", RecordType::mx).answer.outcome, Outcome::found);
  const auto cut = reply_for("a.example", RecordType::a).flags(0x8380);
  EXPECT_FALSE(read(cut, "a.example", RecordType::a).is_final);
  EXPECT_THAT(read(cut, "a.example", RecordType::a).answer.why, HasSubstr("cut short"));
}

TEST(Packet, WrongShapesFail) {
  const std::string text = two_bytes(16) + two_bytes(1) + four_bytes(5);
  struct Case {
    const char* what;
    RecordType type;
    std::string owner;
    std::string data;
  };
  const std::string ok = pointer_to(kAsked);
  for (const auto& [what, type, owner, data] : {
           Case{"pointer to itself", RecordType::txt, pointer_to(27), wire_string("x")},
           Case{"pointer ahead", RecordType::txt, pointer_to(40), wire_string("x")},
           Case{"pointer behind the end", RecordType::txt, pointer_to(4000), wire_string("x")},
           Case{"loop of two", RecordType::txt, std::string("\x01z") + pointer_to(27),
                wire_string("x")},
           Case{"label type 01", RecordType::txt, "\x41z", wire_string("x")},
           Case{"label type 10", RecordType::txt, "\x81z", wire_string("x")},
           Case{"TXT without a string", RecordType::txt, ok, ""},
           Case{"string beyond its record", RecordType::txt, ok,
                "\x05"
                "abc"},
           Case{"A of five bytes", RecordType::a, ok, "abcde"},
           Case{"AAAA of four bytes", RecordType::aaaa, ok, "abcd"},
           Case{"MX of one byte", RecordType::mx, ok, "a"},
           Case{"name shorter than its record", RecordType::ptr, ok, wire_name("a") + "x"},
           Case{"name beyond its record", RecordType::ptr, ok,
                "\x03"
                "ab"},
       }) {
    const auto reply = reply_for("a.example", type).answer(owner, number(type), 5, data);
    const auto answer = read(reply, "a.example", type).answer;
    EXPECT_EQ(answer.outcome, Outcome::failed) << what;
    EXPECT_THAT(answer.why, HasSubstr("malformed")) << what;
  }
  for (const auto& counts : {std::array{2, 0, 0}, {1, 1, 0}, {1, 0, 1}, {0xFFFF, 0xFFFF, 0xFFFF}}) {
    auto reply = reply_for("a.example", RecordType::txt).answer(ok, 16, 5, wire_string("x"));
    reply.counts(static_cast<uint32_t>(counts[0]), static_cast<uint32_t>(counts[1]),
                 static_cast<uint32_t>(counts[2]));
    EXPECT_EQ(read(reply, "a.example", RecordType::txt).answer.outcome, Outcome::failed);
  }
}

TEST(Packet, NamesOver255BytesFail) {
  // Four labels of 61 bytes before the question's name, by pointer.
  std::string owner;
  for (int i = 0; i < 4; ++i) owner += wire_string(std::string(61, 'a'));
  const auto reply = reply_for("a.example", RecordType::txt)
                         .answer(owner + pointer_to(kAsked), 16, 5, wire_string("x"));
  EXPECT_EQ(read(reply, "a.example", RecordType::txt).answer.outcome, Outcome::failed);
}

TEST(Packet, HugeSetsFailAndLargeOnesDoNot) {
  auto large = reply_for("a.example", RecordType::txt);
  for (int i = 0; i < 500; ++i) {
    large.answer(pointer_to(kAsked), 16, 5, wire_string(std::string(80, 'a')));
  }
  EXPECT_EQ(read(large, "a.example", RecordType::txt).answer.texts.size(), 500U);
  // 4,000 names of 250 bytes, each written in two: more in memory than on the wire.
  std::string name(250, 'a');
  for (size_t dot = 60; dot < name.size(); dot += 61) name[dot] = '.';
  auto huge = reply_for(name, RecordType::mx);
  for (int i = 0; i < 4000; ++i) {
    huge.answer(pointer_to(kAsked), 15, 5, two_bytes(1) + pointer_to(kAsked));
  }
  ASSERT_LT(huge.bytes().size(), 65536U);
  const auto answer = read(huge, name, RecordType::mx).answer;
  EXPECT_EQ(answer.outcome, Outcome::failed);
  EXPECT_THAT(answer.why, HasSubstr("too large"));
  EXPECT_TRUE(answer.exchanges.empty());
}

TEST(Packet, ReadsTtlAndValidation) {
  const auto answer = read(reply_for("a.example", RecordType::txt)
                               .flags(0x81A0)
                               .answer(pointer_to(kAsked), 16, 0xFFFFFFFF, wire_string("x")),
                           "a.example", RecordType::txt)
                          .answer;
  EXPECT_TRUE(answer.authentic);
  EXPECT_EQ(answer.ttl, 0U);
}

}  // namespace
}  // namespace watchpost::dns
