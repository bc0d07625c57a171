#include "api/routes_fixture.h"

#include <string>

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace watchpost::api {
namespace {

namespace json = boost::json;
using Query = decltype(net::HttpRequest::query);

TEST(ReportRoutes, AskTheDeskWhatIsAskedOfThem) {
  RoutesFixture fixture;
  const Query autumn{{"customer", "shop"}, {"campaign", "autumn"}};
  EXPECT_EQ(fixture.ask("GET", "/v1/campaigns/report", autumn).status, 200);
  EXPECT_EQ(fixture.desk.asked().back(), "campaign shop autumn 30d");
  Query alone = autumn;
  alone["past"] = "0s";
  EXPECT_EQ(fixture.ask("GET", "/v1/campaigns/report", alone).status, 200);
  EXPECT_EQ(fixture.desk.asked().back(), "campaign shop autumn 0s");
  EXPECT_EQ(fixture.ask("GET", "/v1/campaigns", {{"customer", "shop"}}).status, 200);
  EXPECT_EQ(fixture.desk.asked().back(), "campaigns shop");
  EXPECT_EQ(fixture.ask("GET", "/v1/feedback/unread", {{"limit", "9"}}).status, 200);
  EXPECT_EQ(fixture.desk.asked().back(), "unread 9");
}

TEST(ReportRoutes, BadInputIsNamed) {
  RoutesFixture fixture;
  struct Bad {
    std::string path;
    Query query;
    int status;
    std::string about;
  };
  const std::vector<Bad> all{
      {"/v1/campaigns", {{"since", "soon"}}, 400, "since"},
      {"/v1/campaigns", {{"limit", "0"}}, 400, "limit"},
      {"/v1/campaigns", {{"costumer", "x"}}, 400, "costumer"},
      {"/v1/campaigns/report", {{"campaign", "none"}}, 404, ""},
      {"/v1/campaigns/report", {{"past", "long"}}, 400, "past"},
      {"/v1/campaigns/report", {{"until", "x"}}, 400, "until"},
      {"/v1/campaigns/report", {{"by", "hour"}}, 400, "by"},
      {"/v1/feedback", {{"since", "-1d"}}, 400, "since"},
      {"/v1/feedback", {{"limit", "1"}}, 400, "limit"},
      {"/v1/feedback/unread/0", {}, 400, "id"},
      {"/v1/feedback/unread/x", {}, 400, "id"},
      {"/v1/feedback/unread/99999999999999999999999", {}, 400, "id"},
      {"/v1/feedback/unread/4", {}, 404, ""},
      {"/v1/feedback/unread/3", {{"limit", "1"}}, 400, "limit"},
  };
  for (const Bad& bad : all) {
    const auto response = fixture.ask("GET", bad.path, bad.query);
    EXPECT_EQ(response.status, bad.status) << bad.path << response.body;
    EXPECT_EQ(json::parse(response.body).at("error").at("about").as_string(), bad.about)
        << bad.path;
  }
}

TEST(ReportRoutes, ProvidersBeyondTheLargestStandTogether) {
  RoutesFixture fixture;
  const auto response =
      fixture.ask("GET", "/v1/campaigns/report", {{"customer", "shop"}, {"campaign", "autumn"}});
  const auto report = json::parse(response.body);
  EXPECT_EQ(report.at("providers").as_array().size(), 200u);
  EXPECT_EQ(report.at("other_providers").at("providers").to_number<int>(), 2);
  EXPECT_EQ(report.at("other_providers").at("mail").at("sent").to_number<int>(), 22);
  EXPECT_TRUE(report.at("total").at("rates").at("complained").is_null());
}

TEST(ReportRoutes, AMailComesWhole) {
  RoutesFixture fixture;
  const auto response = fixture.ask("GET", "/v1/feedback/unread/3");
  EXPECT_EQ(json::parse(response.body).at("mail").at("bytes").as_string(), "/wBh");
}

}  // namespace
}  // namespace watchpost::api
