#include "base/text.h"
#include "enforce/enforcers/policy_judge.h"
#include "enforce/enforcers/policy_protocol.h"
#include "enforce/test_support.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::enforce {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string request_text(std::string_view login, std::string_view more = "") {
  return fmt::format(
      "request=smtpd_access_policy\nprotocol_state=RCPT\nqueue_id=8045F2AB23\n"
      "sender=Alice@Example.COM\nrecipient=bob@gmail.com\nclient_address=2001:db8::7\n"
      "instance=1a2b.0\nsasl_method=PLAIN\nsasl_username={}\n{}\n",
      login, more);
}

TEST(PolicyReader, ReadsRequestsInAnyPieces) {
  const std::string text = request_text("alice") + request_text("bob");
  for (size_t piece = 1; piece < text.size(); piece += 13) {
    PolicyReader reader;
    std::vector<std::string> logins;
    for (size_t at = 0; at < text.size(); at += piece) {
      reader.feed(std::string_view(text).substr(at, piece));
      for (;;) {
        const auto request = reader.next();
        ASSERT_TRUE(request) << request.error().text();
        if (!request->has_value()) break;
        logins.push_back((**request)[PolicyAttribute::sasl_username]);
        EXPECT_EQ((**request)[PolicyAttribute::client_address], "2001:db8::7");
      }
    }
    EXPECT_EQ(logins, (std::vector<std::string>{"alice", "bob"})) << piece;
    EXPECT_EQ(reader.held(), 0u);
  }
}

TEST(PolicyReader, KeepsAnEqualsSignAndOddBytesInValues) {
  PolicyReader reader;
  reader.feed(std::string("request=smtpd_access_policy\nsender=a=b \x01\xff\0c\n\n", 45));
  const auto request = reader.next();
  ASSERT_TRUE(request && *request);
  EXPECT_EQ((**request)[PolicyAttribute::sender], std::string("a=b \x01\xff\0c", 8));
}

TEST(PolicyReader, RefusesWhatIsNotTheProtocol) {
  const auto refused = [](std::string_view text) {
    PolicyReader reader({.line_bytes = 100, .attributes = 5, .request_bytes = 300});
    reader.feed(text);
    const auto request = reader.next();
    return !request && request.error().code == Code::bad_input;
  };
  EXPECT_TRUE(refused("GET / HTTP/1.1\r\n"));
  EXPECT_TRUE(refused("\n"));
  EXPECT_TRUE(refused("=x\n"));
  EXPECT_TRUE(refused("request=other\n\n"));
  EXPECT_TRUE(refused("sender=a\n\n"));
  EXPECT_TRUE(refused("request=smtpd_access_policy\nsender=a\nsender=b\n\n"));
  EXPECT_TRUE(refused(std::string(101, 'x')));
  EXPECT_TRUE(refused("a=" + std::string(99, 'x') + "\n"));
  EXPECT_TRUE(refused("a=1\nb=2\nc=3\nd=4\ne=5\nf=6\n"));
  std::string large;
  for (int i = 0; i < 4; ++i) large += fmt::format("a{}={}\n", i, std::string(90, 'x'));
  EXPECT_TRUE(refused(large));
  EXPECT_FALSE(refused("request=smtpd_access_policy\n\n"));
}

TEST(PolicyReply, IsOneLineWhateverStandsInIt) {
  EXPECT_EQ(policy_reply("dunno"), "action=dunno\n\n");
  EXPECT_EQ(policy_reply("554 a\nb\r\n\nc"), "action=554 a b   c\n\n");
}

TEST(PolicyJudge, TheEventIsAsTheLogWillSayIt) {
  PolicyReader reader;
  reader.feed(request_text("alice"));
  const auto request = reader.next();
  ASSERT_TRUE(request && *request);
  const auto mapping = feedback::Mapping::from(
      {{.set = "customer", .from = "sender", .pattern = "@(.+)$", .value = ""}});
  ASSERT_TRUE(mapping);
  EventBatch batch;
  const Event& event = event_of(**request, *mapping, batch);
  EXPECT_EQ(event[Field::credential], "alice");
  EXPECT_EQ(event[Field::client_ip], "2001:db8::7");
  EXPECT_EQ(event[Field::from_domain], "example.com");
  EXPECT_EQ(event[Field::recipient_domain], "gmail.com");
  EXPECT_EQ(event[Field::provider], "gmail");
  EXPECT_EQ(event[Field::customer], "Example.COM");
  EventBatch other;
  EXPECT_EQ(event_of({}, *mapping, other)[Field::sender], "<>");
}

TEST(PolicyJudge, RefusalsEndWithTheMarkerAndSayNothingOfTheDecision) {
  Decision decision = make_decision(17, "credential=alice", "suspend 1h");
  decision.because = "secret\naction=ok";
  decision.made_by = "secret";
  EXPECT_EQ(action_for(decision, ""), "554 5.7.1 Sending is suspended (watchpost d-17)");
  EXPECT_EQ(action_for(decision, "abuse@example.com"),
            "554 5.7.1 Sending is suspended; contact abuse@example.com (watchpost d-17)");
  decision.measure = parse_measure("hold 1h").value();
  EXPECT_EQ(action_for(decision, ""),
            "451 4.7.1 Sending is on hold, try again later (watchpost d-17)");
  decision.measure = parse_measure("throttle 5/1h for 1h").value();
  EXPECT_THAT(action_for(decision, ""), testing::StartsWith("450 4.7.1 "));
  EXPECT_THAT(action_for(decision, ""), testing::EndsWith(" (watchpost d-17)"));
  EXPECT_THAT(action_for(decision, ""), Not(HasSubstr("secret")));
  decision.measure = {};
  EXPECT_EQ(action_for(decision, ""), "dunno");
}

TEST(PolicyJudge, RefusesScopesThatPostfixCannotTell) {
  for (const char* scope : {"credential=a", "customer=a from_domain=b", "client_ip=192.0.2.1",
                            "recipient=a@b", "recipient_domain=b", "provider=gmail"}) {
    EXPECT_TRUE(tellable(parse_stream(scope).value())) << scope;
  }
  for (const char* scope : {"campaign=x", "credential=a campaign=x", "source_ip=192.0.2.1"}) {
    EXPECT_FALSE(tellable(parse_stream(scope).value())) << scope;
  }
  EXPECT_FALSE(tellable({}));
}

TEST(Throttles, LetThroughSoManyMessagesInATime) {
  Throttles throttles;
  const Decision decision = make_decision(1, "credential=alice", "throttle 6/1h for 1d");
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(throttles.pass(decision, fmt::format("m{}", i), kNow));
  EXPECT_FALSE(throttles.pass(decision, "m6", kNow));
  // Further recipients of a message that was let through are free.
  EXPECT_TRUE(throttles.pass(decision, "m5", kNow));
  // Another decision has its own bucket.
  EXPECT_TRUE(throttles.pass(make_decision(2, "credential=bob", "throttle 1/1h for 1h"), "", kNow));
  // One more every ten minutes, never more than six at once, and a clock set back gives nothing.
  EXPECT_FALSE(throttles.pass(decision, "m7", kNow + std::chrono::minutes(9)));
  EXPECT_TRUE(throttles.pass(decision, "m7", kNow + std::chrono::minutes(10)));
  EXPECT_FALSE(throttles.pass(decision, "m8", kNow - std::chrono::hours(5)));
  EXPECT_FALSE(throttles.pass(decision, "m8", kNow + std::chrono::minutes(11)));
  const Time later = kNow + std::chrono::hours(20);
  int passed = 0;
  for (int i = 0; i < 50; ++i) passed += throttles.pass(decision, "", later) ? 1 : 0;
  EXPECT_EQ(passed, 6);
  EXPECT_EQ(throttles.buckets(), 2u);
  throttles.keep_only(ActiveDecisions({decision}));
  EXPECT_EQ(throttles.buckets(), 1u);
}

TEST(Throttles, NothingAllowedLetsNothingThrough) {
  Throttles throttles;
  const Decision decision = make_decision(1, "credential=alice", "throttle 0/1h for 1d");
  EXPECT_FALSE(throttles.pass(decision, "m", kNow));
  EXPECT_FALSE(throttles.pass(decision, "m", kNow + std::chrono::hours(9)));
}

TEST(Throttles, AShareIsSpreadEvenly) {
  Throttles throttles;
  const Decision percent = make_decision(1, "credential=alice", "throttle 1% for 15m");
  std::vector<int> passed;
  for (int i = 0; i < 1000; ++i) {
    const std::string instance = fmt::format("m{}", i);
    const bool passes = throttles.pass(percent, instance, kNow);
    if (passes) passed.push_back(i);
    // All recipients of one message fare alike.
    ASSERT_EQ(throttles.pass(percent, instance, kNow), passes);
  }
  ASSERT_EQ(passed.size(), 10u);
  EXPECT_EQ(passed.front(), 49);
  for (size_t i = 1; i < passed.size(); ++i) EXPECT_EQ(passed[i] - passed[i - 1], 100);
  // Time brings nothing, and each decision counts for itself.
  EXPECT_FALSE(throttles.pass(percent, "late", kNow + std::chrono::hours(9)));
  const Decision half = make_decision(2, "credential=bob", "throttle 50% for 1h");
  int let_through = 0;
  for (int i = 0; i < 100; ++i) let_through += throttles.pass(half, "", kNow) ? 1 : 0;
  EXPECT_EQ(let_through, 50);
  const Decision all = make_decision(3, "credential=carol", "throttle 100% for 1h");
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(throttles.pass(all, "", kNow));
}

TEST(PolicyAction, AShareIsAskedToTryAgain) {
  EXPECT_THAT(
      action_for(make_decision(7, "credential=alice", "throttle 1% for 15m"), ""),
      testing::AllOf(testing::StartsWith("450 4.7.1 "), testing::EndsWith(" (watchpost d-7)")));
}

}  // namespace
}  // namespace watchpost::enforce
