#include "api/routes_fixture.h"

#include <string>
#include <vector>

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace watchpost::api {
namespace {

namespace json = boost::json;

std::string about_of(const net::HttpResponse& response) {
  EXPECT_EQ(response.status, 400) << response.body;
  return std::string(json::parse(response.body).at("error").at("about").as_string());
}

TEST(BorderRoutes, AskTheDesk) {
  RoutesFixture fixture;
  fixture.ask("GET", "/v1/verdicts", {{"queue_id", "4F2A"}, {"limit", "3"}});
  fixture.ask("GET", "/v1/verdicts",
              {{"message_id", "<1@x.example>"}, {"sender", "a@x.example"}, {"since", "2h"}});
  fixture.ask("GET", "/v1/reputation", {{"party", "ip"}, {"name", "192.0.2.1"}});
  fixture.ask("GET", "/v1/reputation", {{"worst", "7"}});
  fixture.post("/v1/reputation/forget", R"({"party":"signer","name":"x.example","why":"ours"})");
  const std::vector<std::string> expected{
      "verdicts 4F2A    3",
      "verdicts  <1@x.example> a@x.example  100",
      "reputation ip 192.0.2.1",
      "worst 7",
      "forget signer x.example token ops: ours",
  };
  EXPECT_EQ(fixture.desk.asked(), expected);
}

TEST(BorderRoutes, ShowVerdictsAsTheyAreKept) {
  RoutesFixture fixture;
  const auto answer = json::parse(fixture.ask("GET", "/v1/verdicts").body);
  const auto& first = answer.at("verdicts").at(0);
  EXPECT_EQ(first.at("queue_id").as_string(), "4F2A");
  EXPECT_EQ(first.at("verdict").at("decided").as_string(), "tag");
  EXPECT_EQ(first.at("correction").at("by").as_string(), "token ops");
  EXPECT_TRUE(answer.at("verdicts").at(1).at("verdict").is_null());  // it cannot be read
  EXPECT_TRUE(answer.at("verdicts").at(1).at("correction").is_null());
}

TEST(BorderRoutes, ShowWhatIsKnown) {
  RoutesFixture fixture;
  const auto known = json::parse(
      fixture.ask("GET", "/v1/reputation", {{"party", "domain"}, {"name", "x.example"}}).body);
  const auto& one = known.at("reputation").at(0);
  EXPECT_EQ(one.at("messages").to_number<double>(), 11);
  EXPECT_EQ(one.at("bad").to_number<double>(), 2);
  EXPECT_GT(one.at("badness").to_number<double>(), 0.05);
  EXPECT_TRUE(one.at("last_seen").is_string());
  const auto unknown = json::parse(
      fixture.ask("GET", "/v1/reputation", {{"party", "domain"}, {"name", "nobody.example"}}).body);
  EXPECT_TRUE(unknown.at("reputation").at(0).at("first_seen").is_null());
}

TEST(BorderRoutes, NameWhatIsWrong) {
  RoutesFixture fixture;
  const auto get = [&](decltype(net::HttpRequest::query) query) {
    return about_of(fixture.ask("GET", "/v1/reputation", std::move(query)));
  };
  EXPECT_EQ(get({}), "party");
  EXPECT_EQ(get({{"party", "people"}, {"name", "x"}}), "party");
  EXPECT_EQ(get({{"party", "ip"}}), "name");
  EXPECT_EQ(get({{"name", "x.example"}}), "party");
  EXPECT_EQ(get({{"worst", "0"}}), "worst");
  EXPECT_EQ(get({{"worst", "ten"}}), "worst");
  EXPECT_EQ(get({{"best", "1"}}), "best");
  EXPECT_EQ(about_of(fixture.ask("GET", "/v1/verdicts", {{"queue", "4F2A"}})), "queue");
  EXPECT_EQ(about_of(fixture.ask("GET", "/v1/verdicts", {{"since", "lately"}})), "since");
  const auto forget = [&](std::string body) {
    return about_of(fixture.post("/v1/reputation/forget", std::move(body)));
  };
  EXPECT_EQ(forget(R"({"party":"ip","name":"192.0.2.1"})"), "why");
  EXPECT_EQ(forget(R"({"party":"mail","name":"x","why":"w"})"), "party");
  EXPECT_EQ(forget(R"({"party":"ip","why":"w"})"), "name");
  EXPECT_TRUE(fixture.desk.asked().empty());
}

}  // namespace
}  // namespace watchpost::api
