#include "api/routes_fixture.h"

#include <string>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace watchpost::api {
namespace {

namespace json = boost::json;

std::string about_of(const net::HttpResponse& response) {
  return std::string(json::parse(response.body).at("error").at("about").as_string());
}

TEST(SuppressionRoutes, AskTheDesk) {
  RoutesFixture fixture;
  fixture.ask("GET", "/v1/suppressions",
              {{"recipient", "A@x.example"}, {"customer", ""}, {"reason", "complaint"}});
  fixture.ask("GET", "/v1/suppressions/changes", {{"after", "9"}, {"limit", "5"}});
  fixture.post("/v1/suppressions",
               R"({"recipient":"a@x.example","customer":"acme","until":"1h","note":"n"})");
  fixture.post("/v1/suppressions/lift",
               R"({"recipient":"a@x.example","reason":"complaint","note":"n"})");
  fixture.ask(
      "POST", "/v1/suppressions/import",
      {{"customer", "acme"}, {"reason", "unsubscribe"}, {"from", "l.csv"}, {"again", "true"}},
      "a@x.example");
  fixture.ask("POST", "/v1/suppressions/import", {{"columns", "recipient"}, {"dry_run", "true"}},
              "a@x.example");
  const std::vector<std::string> expected{
      "suppressions A@x.example of  because complaint",
      "changes after 9, 5",
      "suppress a@x.example for acme because by_hand token ops: n",
      "lift a@x.example for  because complaint token ops: n",
      "import a@x.example for acme because unsubscribe token ops: l.csv, again",
      "import a@x.example dry of recipient for  because imported token ops: ",
  };
  EXPECT_EQ(fixture.desk.asked(), expected);
}

TEST(SuppressionRoutes, ShowWhatHoldsAndWhereToGoOn) {
  RoutesFixture fixture;
  const auto page = json::parse(fixture.ask("GET", "/v1/suppressions").body);
  EXPECT_EQ(page.at("next").as_string(), "17");
  EXPECT_TRUE(page.at("suppressions").at(0).at("customer").is_null());
  EXPECT_EQ(page.at("history").as_array().size(), 1U);
  const auto changes = json::parse(fixture.ask("GET", "/v1/suppressions/changes").body);
  EXPECT_EQ(changes.at("last").as_int64(), 17);
  const auto none =
      json::parse(fixture.ask("GET", "/v1/suppressions/changes", {{"after", "20"}}).body);
  EXPECT_EQ(none.at("last").as_int64(), 20);
  const auto lifted = json::parse(
      fixture.post("/v1/suppressions/lift", R"({"recipient":"a@x.example","note":"n"})").body);
  EXPECT_EQ(lifted.at("suppressions").at(0).at("state").as_string(), "lifted");
}

TEST(SuppressionRoutes, NameWhatIsWrong) {
  RoutesFixture fixture;
  const auto get = [&](decltype(net::HttpRequest::query) query, std::string path = {}) {
    return about_of(fixture.ask("GET", "/v1/suppressions" + path, std::move(query)));
  };
  EXPECT_EQ(get({{"limit", "0"}}), "limit");
  EXPECT_EQ(get({{"all", "maybe"}}), "all");
  EXPECT_EQ(get({{"since", "lately"}}), "since");
  EXPECT_EQ(get({{"custommer", "a"}}), "custommer");
  EXPECT_EQ(get({{"after", "-1"}}, "/changes"), "after");
  EXPECT_EQ(get({{"after", "99999999999999999999999"}}, "/changes"), "after");
  EXPECT_EQ(about_of(fixture.post("/v1/suppressions", "{}")), "recipient");
  EXPECT_EQ(about_of(fixture.post("/v1/suppressions", R"({"recipient":"a","until":"x"})")),
            "until");
  EXPECT_EQ(about_of(fixture.post("/v1/suppressions", R"({"recipient":"a","reason":"x"})")),
            "reason");
  EXPECT_EQ(about_of(fixture.post("/v1/suppressions/lift", R"({"recipient":"a"})")), "note");
  EXPECT_EQ(
      about_of(fixture.ask("POST", "/v1/suppressions/import", {{"reason", "x"}}, "a@x.example")),
      "reason");
  EXPECT_TRUE(fixture.desk.asked().empty());
}

}  // namespace
}  // namespace watchpost::api
