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
#include <sys/stat.h>
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
    EXPECT_EQ(client.hear_until("\n\n"), wanted ? fmt::format("action=450 4.2.1 Not now {}\n\n",
                                                              tags_.mark_of("b@example.net"))
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
  Suppression complaint = suppression(8, "own@x.example", "acme");
  complaint.reason = SuppressionReason::complaint;
  Suppression lifted = suppression(5, "lifted@x.example");
  lifted.lifted = true;
  put({suppression(1, "all@x.example"), suppression(2, "own@x.example", "acme"),
       suppression(3, "others@x.example", "other"), ending, lifted,
       suppression(6, "#comment@x.example"), suppression(7, "own@x.example"), complaint});
  PostfixAccessSettings settings;
  settings.path = folder_ + "/table";
  settings.customer = "acme";
  settings.every = std::chrono::milliseconds(5);
  const PostfixAccess access("table", settings, context());
  EXPECT_FALSE(access.takes_decisions());
  EXPECT_FALSE(access.can(make_decision(1, "credential=alice", "suspend 1h")));
  ASSERT_TRUE(soon([&] { return lines().size() == 3; }));
  EXPECT_THAT(lines(), ElementsAre("all@x.example", "ending@x.example", "own@x.example"));
  EXPECT_THAT(access.state(), HasSubstr("1 that such a table cannot have"));
  // It follows changes, and the end of what ends.
  put({suppression(9, "new@x.example")});
  ASSERT_TRUE(soon([&] { return lines().size() == 4; }));
  clock_.advance(std::chrono::hours(2));
  ASSERT_TRUE(soon([&] { return lines().size() == 3; }));
  EXPECT_THAT(lines(), ElementsAre("all@x.example", "new@x.example", "own@x.example"));
}

TEST_F(SuppressionEnforcers, AnAccessTableThatCannotBeWrittenSaysSo) {
  PostfixAccessSettings settings;
  settings.path = folder_ + "/none/table";
  const PostfixAccess access("table", settings, context());
  put({suppression(1, "a@x.example"), suppression(2, "b@x.example")});
  ASSERT_TRUE(soon([&] { return access.failures() > 1; }));
  EXPECT_THAT(access.state(), HasSubstr("cannot be written"));
  // What an alert looks at.
  const std::string metrics = metrics_.text();
  EXPECT_THAT(metrics, HasSubstr("watchpost_suppression_feed_behind{enforcer=\"table\"} 2\n"));
  EXPECT_THAT(metrics, HasSubstr("_current_timestamp_seconds{enforcer=\"table\"} 0\n"));
  EXPECT_THAT(metrics, testing::Not(HasSubstr("enforcer=\"table\",result=\"failed\"} 0\n")));
  std::filesystem::create_directory(folder_ + "/none");
  ASSERT_TRUE(soon([&] { return access.failures() == 0; }));
  ASSERT_TRUE(soon([&] {
    return metrics_.text().find("watchpost_suppression_feed_behind{enforcer=\"table\"} 0\n") !=
           std::string::npos;
  }));
  settings.mode = "rw";
  EXPECT_EQ(settings.check().error().about, "mode");
  settings.mode = "0640";
  settings.path = "table";
  EXPECT_EQ(settings.check().error().about, "path");
  settings.path = "/a/../b//table";
  EXPECT_EQ(settings.writes(), "/b/table");
}

TEST_F(SuppressionEnforcers, AnAccessTableIsForNobodyElse) {
  const auto mode_of = [this] {
    struct stat there = {};
    return ::stat((folder_ + "/table").c_str(), &there) == 0 ? there.st_mode & 0777U : 0U;
  };
  PostfixAccessSettings settings;
  settings.path = folder_ + "/table";
  for (const auto& [text, mode] : {std::pair("0640", 0640U), std::pair("0664", 0664U)}) {
    settings.mode = text;
    const PostfixAccess access("table", settings, context());
    ASSERT_TRUE(soon([&] { return mode_of() == mode; })) << text;
  }
}

class SuppressionHook : public SuppressionEnforcers {
 protected:
  // Answers with `status` once, and then with 200.
  void answer(int status) {
    auto opened = net::HttpServer::open(
        io_, {"127.0.0.1:0"},
        [this](const net::HttpRequest& request, std::function<void(net::HttpResponse)> respond) {
          const std::lock_guard lock(mutex_);
          if (status_ == 200) bodies_.push_back(request.body);
          respond({.status = std::exchange(status_, 200), .body = "{}"});
        });
    ASSERT_TRUE(opened);
    status_ = status;
    server_ = std::move(*opened);
    settings_.url = fmt::format("http://127.0.0.1:{}/", server_->port());
    settings_.secret = "s3cret";
    settings_.allow_private = true;
  }
  boost::json::value only_body() {
    const std::lock_guard lock(mutex_);
    EXPECT_EQ(bodies_.size(), 1U);
    return bodies_.empty() ? boost::json::value() : boost::json::parse(bodies_[0]);
  }

  int status_ = 200;
  std::vector<std::string> bodies_;
  SuppressionWebhookSettings settings_;
  std::unique_ptr<net::HttpServer> server_;
};

TEST_F(SuppressionHook, IsToldInOrderFromWhereItWas) {
  answer(500);
  {
    store::Commit commit;
    commit.facts = {{"suppress/feed/hook", "1"}};
    ASSERT_TRUE(store_->commit(commit));
  }
  Suppression ended = suppression(3, "b@x.example");
  ended.until = kNow;
  put({suppression(1, "told@x.example"), suppression(2, "a@x.example", "acme\xff"), ended});
  const auto hook = SuppressionWebhook::open("hook", settings_, context());
  ASSERT_TRUE(hook);
  ASSERT_TRUE(soon([&] { return kept() == "suppress/feed/hook=3"; }));
  EXPECT_THAT((*hook)->state(), HasSubstr("told up to change 3"));
  EXPECT_EQ((*hook)->failures(), 0U);
  EXPECT_THAT(metrics_.text(),
              HasSubstr("watchpost_enforcements_total{enforcer=\"hook\",result=\"failed\"} 1\n"));
  const auto body = only_body();
  EXPECT_EQ(body.at("id").as_string(), "suppressions/3");
  EXPECT_EQ(body.at("changes").as_array().size(), 2U);
  const auto& first = body.at("changes").at(0);
  EXPECT_EQ(first.at("recipient").as_string(), "a@x.example");
  EXPECT_TRUE(first.at("suppressed").as_bool());
  EXPECT_EQ(std::string(first.at("refusal_mark").as_string()), tags_.mark_of("a@x.example"));
  EXPECT_TRUE(body.at("changes").at(1).at("customer").is_null());
  // What has ended is not suppressed, though nobody lifted it.
  EXPECT_FALSE(body.at("changes").at(1).at("suppressed").as_bool());
  EXPECT_EQ(body.at("changes").at(1).at("state").as_string(), "ended");
}

TEST_F(SuppressionHook, OfOneCustomerHearsNothingOfOthers) {
  answer(200);
  settings_.customer = "acme";
  put({suppression(1, "a@x.example", "acme"), suppression(2, "b@x.example", "other"),
       suppression(3, "c@x.example"), suppression(4, "d@x.example", "other")});
  const auto hook = SuppressionWebhook::open("hook", settings_, context());
  ASSERT_TRUE(hook);
  // It moves on over what it is not told.
  ASSERT_TRUE(soon([&] { return kept() == "suppress/feed/hook=4"; }));
  const auto body = only_body();
  ASSERT_EQ(body.at("changes").as_array().size(), 2U);
  EXPECT_EQ(body.at("changes").at(0).at("recipient").as_string(), "a@x.example");
  EXPECT_EQ(body.at("changes").at(1).at("recipient").as_string(), "c@x.example");
}

TEST_F(SuppressionEnforcers, OneReasonLiftedIsNoLeaveToMail) {
  Suppression bounce = suppression(2, "a@x.example");
  bounce.reason = SuppressionReason::hard_bounce;
  bounce.lifted = true;
  put({suppression(1, "a@x.example"), bounce});
  const auto told = [&] {
    const auto body = boost::json::parse(
        suppression_changes_body(std::vector{bounce}, {.now = kNow, .list = list_, .tags = tags_}));
    const auto& change = body.at("changes").at(0);
    EXPECT_EQ(change.at("state").as_string(), "lifted");
    return change.at("suppressed").as_bool();
  };
  EXPECT_TRUE(told());
  Suppression by_hand = suppression(3, "a@x.example");
  by_hand.lifted = true;
  put({by_hand});
  EXPECT_FALSE(told());
}

}  // namespace
}  // namespace watchpost::enforce
