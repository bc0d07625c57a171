// Those that act on suppressions: the policy service, an access table, a webhook.
#include "enforce/enforcers/postfix_access.h"
#include "enforce/enforcers/postfix_policy.h"
#include "enforce/enforcers/suppression_webhook.h"
#include "enforce/test_support.h"
#include "net/http_server.h"
#include "net/test_client.h"

#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::enforce {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Suppression suppression(uint64_t change, std::string recipient, std::string customer = {}) {
  return {.recipient = std::move(recipient),
          .customer = std::move(customer),
          .since = kNow,
          .changed_at = kNow,
          .change = change};
}

class SuppressionEnforcers : public testing::Test {
 protected:
  SuppressionEnforcers() {
    std::string pattern = (std::filesystem::temp_directory_path() / "watchpost-XXXXXX").string();
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    store_ = store::Store::open({.path = folder_ + "/data"}).value();
    io_.start();
  }
  ~SuppressionEnforcers() override { std::filesystem::remove_all(folder_); }

  EnforcerContext context() {
    return {.io = io_,
            .active = active_,
            .mapping = mapping_,
            .clock = clock_,
            .metrics = metrics_,
            .suppressed = &list_,
            .reply_tags = &tags_,
            .store = {.path = folder_ + "/data"},
            .keep = [this](store::Fact fact) {
              const std::lock_guard lock(mutex_);
              kept_ = fact.name + "=" + fact.value;
            }};
  }
  void put(std::vector<Suppression> all) {
    store::Commit commit;
    commit.suppressions = std::move(all);
    ASSERT_TRUE(store_->commit(commit));
    for (const Suppression& one : commit.suppressions) list_.put(one);
  }
  std::vector<std::string> lines() const {
    std::vector<std::string> found;
    std::ifstream in(folder_ + "/table");
    for (std::string line; std::getline(in, line);) {
      if (!line.starts_with('#')) found.push_back(line.substr(0, line.find(' ')));
    }
    return found;
  }
  std::string kept() {
    const std::lock_guard lock(mutex_);
    return kept_;
  }

  std::string folder_;
  std::unique_ptr<store::Store> store_;
  suppress::List list_{5};
  suppress::ReplyTags tags_{"a secret"};
  ManualClock clock_;
  Metrics metrics_;
  ActiveSnapshot active_;
  feedback::Mapping mapping_;
  std::mutex mutex_;
  std::string kept_;
  net::Io io_;
};

TEST_F(SuppressionEnforcers, ThePolicyServiceRefusesWhereItIsTold) {
  PostfixPolicySettings settings;
  settings.listen = {"127.0.0.1:0"};
  put({suppression(1, "b@example.net")});
  for (const bool wanted : {false, true}) {
    settings.suppressions = wanted;
    settings.suppression_reply = "450 4.2.1 Not now";
    const auto policy = PostfixPolicy::open("postfix", settings, context());
    ASSERT_TRUE(policy);
    const net::Client client((*policy)->port());
    EXPECT_TRUE(client.say(
        "request=smtpd_access_policy\nprotocol_state=RCPT\nrecipient=B@Example.net\n\n"));
    EXPECT_EQ(client.hear_until("\n\n"),
              wanted ? fmt::format("action=450 4.2.1 Not now {}\n\n", tags_.mark_of("b@example.net"))
                     : "action=dunno\n\n");
  }
}

TEST_F(SuppressionEnforcers, ADecisionGoesBeforeASuppression) {
  PostfixPolicySettings settings;
  settings.listen = {"127.0.0.1:0"};
  settings.suppressions = true;
  put({suppression(1, "b@example.net")});
  active_.set(std::make_shared<const ActiveDecisions>(
      std::vector{make_decision(17, "credential=alice", "suspend 1h")}));
  const auto policy = PostfixPolicy::open("postfix", settings, context());
  ASSERT_TRUE(policy);
  const net::Client client((*policy)->port());
  EXPECT_TRUE(
      client.say("request=smtpd_access_policy\nrecipient=b@example.net\nsasl_username=alice\n\n"));
  EXPECT_THAT(client.hear_until("\n\n"), HasSubstr("(watchpost d-17)"));
}

TEST_F(SuppressionEnforcers, AnAccessTableHasWhatHoldsAndNothingOfOthers) {
  Suppression ending = suppression(4, "ending@x.example");
  ending.until = kNow + 1h;
  Suppression lifted = suppression(5, "lifted@x.example");
  lifted.lifted = true;
  put({suppression(1, "all@x.example"), suppression(2, "own@x.example", "acme"),
       suppression(3, "others@x.example", "other"), ending, lifted,
       suppression(6, "#comment@x.example")});
  PostfixAccessSettings settings;
  settings.path = folder_ + "/table";
  settings.customer = "acme";
  settings.every = std::chrono::milliseconds(5);
  const PostfixAccess access("table", settings, context());
  EXPECT_FALSE(access.takes_decisions());
  EXPECT_FALSE(access.can(make_decision(1, "credential=alice", "suspend 1h")));
  ASSERT_TRUE(soon([&] { return lines().size() == 3; }));
  EXPECT_THAT(lines(), ElementsAre("all@x.example", "own@x.example", "ending@x.example"));
  EXPECT_THAT(access.state(), HasSubstr("1 that such a table cannot have"));
  // It follows changes, and the end of what ends.
  put({suppression(7, "new@x.example")});
  ASSERT_TRUE(soon([&] { return lines().size() == 4; }));
  clock_.advance(std::chrono::hours(2));
  ASSERT_TRUE(soon([&] { return lines().size() == 3; }));
  EXPECT_THAT(lines(), ElementsAre("all@x.example", "own@x.example", "new@x.example"));
}

TEST_F(SuppressionEnforcers, AnAccessTableThatCannotBeWrittenSaysSo) {
  PostfixAccessSettings settings;
  settings.path = folder_ + "/none/table";
  const PostfixAccess access("table", settings, context());
  ASSERT_TRUE(soon([&] { return access.state().find("cannot be written") != std::string::npos; }));
  settings.path = "table";
  EXPECT_EQ(settings.check().error().about, "path");
}

TEST_F(SuppressionEnforcers, AWebhookIsToldInOrderFromWhereItWas) {
  std::vector<std::string> bodies;
  int status = 500;
  auto server = net::HttpServer::open(
      io_, {"127.0.0.1:0"},
      [&](net::HttpRequest request, std::function<void(net::HttpResponse)> respond) {
        const std::lock_guard lock(mutex_);
        if (status == 200) bodies.push_back(request.body);
        respond({.status = std::exchange(status, 200), .body = "{}"});
      });
  ASSERT_TRUE(server);
  {
    store::Commit commit;
    commit.facts = {{"suppress/feed/hook", "1"}};
    ASSERT_TRUE(store_->commit(commit));
  }
  put({suppression(1, "told@x.example"), suppression(2, "a@x.example", "acme\xff"),
       suppression(3, "b@x.example")});
  SuppressionWebhookSettings settings;
  settings.url = fmt::format("http://127.0.0.1:{}/", (*server)->port());
  settings.secret = "s3cret";
  settings.allow_private = true;
  const auto hook = SuppressionWebhook::open("hook", settings, context());
  ASSERT_TRUE(hook);
  ASSERT_TRUE(soon([&] { return kept() == "suppress/feed/hook=3"; }));
  EXPECT_THAT((*hook)->state(), HasSubstr("told up to change 3"));
  const std::lock_guard lock(mutex_);
  ASSERT_EQ(bodies.size(), 1U);
  const auto body = boost::json::parse(bodies[0]);
  EXPECT_EQ(body.at("id").as_string(), "suppressions/3");
  EXPECT_EQ(body.at("changes").as_array().size(), 2U);
  EXPECT_EQ(body.at("changes").at(0).at("recipient").as_string(), "a@x.example");
  EXPECT_TRUE(body.at("changes").at(0).at("suppressed").as_bool());
  EXPECT_TRUE(body.at("changes").at(1).at("customer").is_null());
}

}  // namespace
}  // namespace watchpost::enforce
