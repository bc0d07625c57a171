#include "enforce/enforcers/postfix_policy.h"

#include "enforce/test_support.h"
#include "net/test_client.h"

#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::enforce {
namespace {

using testing::HasSubstr;

PostfixPolicySettings at(std::vector<std::string> listen, std::string mode = "0660",
                         std::string contact = "") {
  PostfixPolicySettings settings;
  settings.listen = std::move(listen);
  settings.socket_mode = std::move(mode);
  settings.contact = std::move(contact);
  return settings;
}

class PostfixPolicyTest : public testing::Test {
 protected:
  PostfixPolicyTest() { io_.start(); }

  Result<std::unique_ptr<PostfixPolicy>> open(PostfixPolicySettings settings) {
    return PostfixPolicy::open("postfix", settings, {io_, active_, mapping_, clock_, metrics_});
  }
  void decide(std::vector<Decision> decisions) {
    active_.set(std::make_shared<const ActiveDecisions>(std::move(decisions)));
  }
  static std::string ask(const net::Client& client, std::string_view login,
                         std::string_view instance = "1") {
    EXPECT_TRUE(client.say(fmt::format(
        "request=smtpd_access_policy\nprotocol_state=RCPT\nsender=a@example.com\n"
        "recipient=b@example.net\nclient_address=192.0.2.7\ninstance={}\nsasl_username={}\n\n",
        instance, login)));
    return client.hear_until("\n\n");
  }
  uint64_t counted(std::string_view family) {
    return metrics_.counter(family, "", {{"enforcer", "postfix"}}).value();
  }

  ManualClock clock_;
  Metrics metrics_;
  ActiveSnapshot active_;
  feedback::Mapping mapping_;
  net::Io io_;
};

TEST_F(PostfixPolicyTest, AnswersFromTheDecisionsInForce) {
  auto policy = open(at({"127.0.0.1:0"}, "0660", "abuse@example.com"));
  ASSERT_TRUE(policy) << policy.error().text();
  EXPECT_THAT((*policy)->state(), HasSubstr("Postfix has not asked yet"));
  const net::Client client((*policy)->port());
  ASSERT_TRUE(client.connected());
  EXPECT_EQ(ask(client, "alice"), "action=dunno\n\n");

  Decision decision = make_decision(17, "credential=alice", "suspend 1h");
  decide({decision});
  ASSERT_TRUE((*policy)->can(decision));
  ASSERT_TRUE((*policy)->apply(decision, std::chrono::seconds(1)));
  EXPECT_EQ(
      ask(client, "alice"),
      "action=554 5.7.1 Sending is suspended; contact abuse@example.com (watchpost d-17)\n\n");
  EXPECT_EQ(ask(client, "bob"), "action=dunno\n\n");

  // It ends by the clock, whether or not anybody has said so yet.
  clock_.advance(std::chrono::hours(1));
  EXPECT_EQ(ask(client, "alice"), "action=dunno\n\n");
  decide({});
  EXPECT_EQ(ask(client, "alice"), "action=dunno\n\n");
  EXPECT_EQ(counted("watchpost_policy_requests"), 5u);
  EXPECT_EQ(counted("watchpost_policy_refused"), 1u);
  EXPECT_THAT((*policy)->state(), HasSubstr("5 requests, last asked 0s ago"));
}

TEST_F(PostfixPolicyTest, ThrottlesByMessage) {
  auto policy = open(at({"127.0.0.1:0"}));
  ASSERT_TRUE(policy);
  decide({make_decision(3, "credential=alice", "throttle 2/1h for 2h")});
  const net::Client client((*policy)->port());
  EXPECT_EQ(ask(client, "alice", "m1"), "action=dunno\n\n");
  EXPECT_EQ(ask(client, "alice", "m1"), "action=dunno\n\n");
  EXPECT_EQ(ask(client, "alice", "m2"), "action=dunno\n\n");
  EXPECT_THAT(ask(client, "alice", "m3"), testing::StartsWith("action=450 4.7.1 "));
  EXPECT_EQ(ask(client, "alice", "m2"), "action=dunno\n\n");
}

TEST_F(PostfixPolicyTest, ListensOnAUnixSocketThatPostfixCanReach) {
  std::string pattern = (std::filesystem::temp_directory_path() / "policy_test.XXXXXX").string();
  const std::filesystem::path folder = mkdtemp(pattern.data());
  const std::string path = folder / "policy.sock";
  {
    auto policy = open(at({"unix:" + path, "127.0.0.1:0"}, "0666"));
    ASSERT_TRUE(policy) << policy.error().text();
    struct stat about{};
    ASSERT_EQ(stat(path.c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777, 0666u);
    const net::Client client(path);
    EXPECT_EQ(ask(client, "alice"), "action=dunno\n\n");
  }
  std::filesystem::remove_all(folder);
}

TEST_F(PostfixPolicyTest, GarbageClosesTheConnectionAndIsCounted) {
  auto policy = open(at({"127.0.0.1:0"}));
  ASSERT_TRUE(policy);
  const net::Client client((*policy)->port());
  EXPECT_TRUE(client.say("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_EQ(client.hear_all(), "");
  const net::Client endless((*policy)->port());
  const std::string much(20'000, 'x');
  (void)endless.say(much);
  EXPECT_EQ(endless.hear_all(), "");
  EXPECT_EQ(counted("watchpost_policy_garbage"), 2u);
  const net::Client next((*policy)->port());
  EXPECT_EQ(ask(next, "alice"), "action=dunno\n\n");
}

TEST_F(PostfixPolicyTest, GoesWithItsConnectionsOpen) {
  auto policy = open(at({"127.0.0.1:0"}));
  ASSERT_TRUE(policy);
  const net::Client client((*policy)->port());
  EXPECT_EQ(ask(client, "alice"), "action=dunno\n\n");
  policy->reset();
  EXPECT_EQ(client.hear_all(), "");
}

TEST_F(PostfixPolicyTest, RefusesSettingsThatCannotBe) {
  const auto about = [&](PostfixPolicySettings settings) {
    const auto made = open(std::move(settings));
    return made ? "made" : made.error().about;
  };
  EXPECT_EQ(about(at({})), "listen");
  EXPECT_EQ(about(at({"127.0.0.1:0"}, "rw")), "socket_mode");
  EXPECT_EQ(about(at({"127.0.0.1:0"}, "0660", "a\r\nb")), "contact");
  EXPECT_NE(about(at({"nonsense"})), "made");
}

}  // namespace
}  // namespace watchpost::enforce
