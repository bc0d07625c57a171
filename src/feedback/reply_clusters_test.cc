#include "feedback/reply_clusters.h"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::feedback {
namespace {

constexpr std::string_view kShelf = "Mailbox shelf {} of {}@example.net is being rebuilt, ref {}";

TEST(ReplyWording, LeavesOutWhatDiffers) {
  EXPECT_EQ(reply_wording("550 5.7.0 Kim <kim@example.net> moved shelf 17, see "
                          "https://help.example.net/x?id=9 (ref A7-F3B2)"),
            "kim @ moved shelf <id>, see <url> (ref <id>)");
  EXPECT_EQ(reply_wording("host mx1.example.net[192.0.2.1] said: asked mx2.example.net, got none"),
            "host said: asked <host>, got none");
  EXPECT_EQ(reply_wording("at 2026-11-28T10:00:00Z from [192.0.2.7] or 2001:db8::7."),
            "at <id> from or <id>.");
  EXPECT_EQ(reply_wording("session QWERTZUIOPASDFGHJKLYXCVBNM"), "session <id>");
  EXPECT_EQ(reply_wording("Postfach ist gerade zu"), "postfach ist gerade zu");
  EXPECT_EQ(reply_wording(""), "");
  EXPECT_LE(reply_wording(std::string(4000, 'x') + " y").size(), ReplyClusters::kLongestWording);
}

TEST(ReplyClusters, OneWordingIsOneCluster) {
  ReplyClusters clusters(100);
  for (int i = 0; i < 30; ++i) {
    clusters.add({fmt::format(kShelf, i, i, i * 7), i % 3 == 0 ? "one" : "two",
                  Time{} + std::chrono::seconds(100 - i)});
  }
  clusters.add({"Something else altogether", "", {}});
  const auto sorted = clusters.sorted();
  ASSERT_EQ(sorted.size(), 2u);
  EXPECT_EQ(sorted[0].count, 30u);
  EXPECT_EQ(sorted[0].wording, "mailbox shelf <id> of @ is being rebuilt, ref <id>");
  EXPECT_EQ(sorted[0].example, fmt::format(kShelf, 0, 0, 0));
  EXPECT_EQ(sorted[0].first_seen, Time{} + std::chrono::seconds(71));
  EXPECT_EQ(sorted[0].last_seen, Time{} + std::chrono::seconds(100));
  EXPECT_EQ(sorted[0].providers.at("one"), 10u);
  EXPECT_EQ(sorted[0].providers.at("two"), 20u);
  EXPECT_FALSE(sorted[1].first_seen);
  EXPECT_EQ(clusters.replies(), 31u);
}

TEST(ReplyClusters, WordsThatDifferAreLeftOpen) {
  ReplyClusters clusters(100);
  clusters.add({"The shelf of anna cannot be reached from here today"});
  clusters.add({"The shelf of berta cannot be reached from here today"});
  clusters.add({"The door of the house is shut for all who knock"});
  clusters.add({"The shelf of carla cannot be reached from here today"});
  const auto sorted = clusters.sorted();
  ASSERT_EQ(sorted.size(), 2u);
  EXPECT_EQ(sorted[0].count, 3u);
  EXPECT_EQ(sorted[0].wording, "the shelf of <word> cannot be reached from here today");
}

TEST(ReplyClusters, AreBoundedAndKeepTheFrequentOnes) {
  ReplyClusters clusters(16);
  for (int i = 0; i < 5000; ++i) {
    clusters.add({"the shelf is being rebuilt"});
    std::string odd;
    for (int n = i; n > 0; n /= 26) odd += static_cast<char>('a' + n % 26);
    clusters.add({odd + " nobody knows"});
  }
  const auto sorted = clusters.sorted();
  EXPECT_LE(sorted.size(), 16u);
  EXPECT_EQ(sorted[0].count, 5000u);
  uint64_t kept = 0;
  for (const ReplyCluster& cluster : sorted) kept += cluster.count;
  EXPECT_EQ(kept + clusters.forgotten(), clusters.replies());
}

TEST(ReplyClusters, BecomeARuleThatJudgesThem) {
  ReplyClusters clusters(10);
  for (int i = 0; i < 3; ++i) clusters.add({fmt::format(kShelf, i, i, i)});
  const ReplyCluster cluster = clusters.sorted().front();
  const auto rule = rule_for(cluster, "system/shelf", "system", "closed");
  ASSERT_TRUE(rule) << rule.error().text();
  EXPECT_NE(rule->find("text = [\"is being rebuilt, ref\"]"), std::string::npos) << *rule;
  const auto made = Classifier::from_toml(*rule, "new");
  ASSERT_TRUE(made) << made.error().text();
  const ReplyVerdict verdict = made->classify({.text = cluster.example});
  EXPECT_EQ(verdict.rule, "system/shelf");
  EXPECT_EQ(verdict.detail, "closed");
}

TEST(ReplyClusters, HostileWordsMakeNoOtherRule) {
  ReplyClusters clusters(10);
  clusters.add({"a \"quoted\\ piece\"]\nname = \"x\" and so on and on"});
  const auto rule = rule_for(clusters.sorted().front(), "system/odd", "system", "");
  ASSERT_TRUE(rule);
  const auto made = Classifier::from_toml(*rule, "new");
  ASSERT_TRUE(made) << made.error().text() << *rule;
  EXPECT_EQ(made->classify({.text = clusters.sorted().front().example}).rule, "system/odd");
}

TEST(ReplyClusters, TooFewWordsMakeNoRule) {
  ReplyClusters clusters(10);
  clusters.add({"no 17 @ x"});
  const auto rule = rule_for(clusters.sorted().front(), "system/odd", "system", "");
  ASSERT_FALSE(rule);
  EXPECT_EQ(rule.error().code, Code::bad_input);
}

}  // namespace
}  // namespace watchpost::feedback
