#include "api/routes_fixture.h"

#include <string>
#include <vector>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::api {
namespace {

namespace json = boost::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const std::string kHex = "4f2a91c0000000000000000000000001";
const std::string kMail = "/v1/quarantine/" + kHex;

std::string about_of(const net::HttpResponse& response) {
  return std::string(json::parse(response.body).at("error").at("about").as_string());
}

std::string header_of(const net::HttpResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return "";
}

TEST(QuarantineRoutes, TakeASearchWhole) {
  RoutesFixture fixture;
  ASSERT_EQ(fixture
                .ask("GET", "/v1/quarantine",
                     {{"since", "2h"},
                      {"until", "2026-11-24T11:00:00Z"},
                      {"sender", "@shop.example"},
                      {"recipient", "kim@us.example"},
                      {"subject", "invoice"},
                      {"reason", "listed"},
                      {"rule", "filter x"},
                      {"disposition", "quarantine"},
                      {"login", "l"},
                      {"customer", "c"},
                      {"campaign", "p"},
                      {"decision", "d-17"},
                      {"direction", "outbound"},
                      {"least_size", "5"},
                      {"most_size", "10"},
                      {"state", "due"},
                      {"requested", "true"},
                      {"all", "true"},
                      {"limit", "7"},
                      {"after", "cursor"}})
                .status,
            200);
  const auto& search = fixture.desk.last_held_search();
  EXPECT_EQ(search.since, parse_time("2026-11-24T10:00:00Z"));
  EXPECT_EQ(search.until, parse_time("2026-11-24T11:00:00Z"));
  EXPECT_EQ(search.sender, "@shop.example");
  EXPECT_EQ(search.recipient, "kim@us.example");
  EXPECT_EQ(search.subject, "invoice");
  EXPECT_EQ(search.reason, "listed");
  EXPECT_EQ(search.rule, "filter x");
  EXPECT_EQ(search.disposition, "quarantine");
  EXPECT_EQ(search.login + search.customer + search.campaign, "lcp");
  EXPECT_EQ(search.decision, DecisionId{17});
  EXPECT_EQ(search.direction, Direction::outbound);
  EXPECT_EQ(search.least_size, 5U);
  EXPECT_EQ(search.most_size, 10U);
  EXPECT_EQ(search.state, quarantine::CopyState::due);
  EXPECT_TRUE(search.requested);
  EXPECT_TRUE(search.all);
  EXPECT_EQ(search.limit, 7U);
  EXPECT_EQ(search.after, "cursor");
}

TEST(QuarantineRoutes, RefuseWhatCannotBeRead) {
  RoutesFixture fixture;
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{"sendr", "x"},
                                                        {"since", "soon"},
                                                        {"until", "x"},
                                                        {"decision", "i-4"},
                                                        {"decision", "d-0"},
                                                        {"direction", "x"},
                                                        {"least_size", "x"},
                                                        {"most_size", "-1"},
                                                        {"least_size", "1MiB"},
                                                        {"state", "x"},
                                                        {"requested", "x"},
                                                        {"all", "1"},
                                                        {"limit", "0"}}) {
    const auto response = fixture.ask("GET", "/v1/quarantine", {{name, value}});
    EXPECT_EQ(response.status, 400) << name << value;
    EXPECT_EQ(about_of(response), name);
  }
  for (const char* const id : {"x", "4f2a", "4f2a91c000000000000000000000000g",
                               "00000000000000000000000000000000", "..%2f", "usag"}) {
    EXPECT_EQ(fixture.ask("GET", std::string("/v1/quarantine/") + id).status, 400) << id;
  }
  const struct {
    std::string path, body, about;
  } bodies[] = {
      {kMail + "/release", R"({"recipients":"kim@us.example"})", "recipients"},
      {kMail + "/release", R"({"recipients":[1]})", "recipients"},
      {kMail + "/release", R"({"recipients":[["x"]]})", ""},
      {kMail + "/release", R"({"accept_like":"yes"})", "accept_like"},
      {kMail + "/release", R"({"why":["x"]})", "why"},
      {kMail + "/extend", R"({})", "until"},
      {kMail + "/extend", R"({"until":"soon"})", "until"},
      {kMail + "/settle", R"({"why":"x"})", "arrived"},
      {"/v1/quarantine/release", R"({"sender":"@x.example"})", "why"},
      {"/v1/quarantine/discard", R"({"sender":"@x.example","why":"x","paced":true})", "paced"},
      {"/v1/quarantine/discard", R"({"limit":"1","why":"x"})", "limit"},
      {"/v1/quarantine/erase", R"({"why":"x"})", "address"},
      {"/v1/quarantine/exceptions/end", R"({})", "name"},
      {"/v1/quarantine/rekey", R"({"x":"y"})", "x"},
  };
  for (const auto& one : bodies) {
    const auto response = fixture.post(one.path, one.body);
    EXPECT_EQ(response.status, 400) << one.path << one.body;
    EXPECT_EQ(about_of(response), one.about) << one.body;
  }
  std::string many = R"({"recipients":["x")";
  for (int i = 0; i < 1000; ++i) many += R"(,"x")";
  EXPECT_EQ(about_of(fixture.post(kMail + "/release", many + "]}")), "recipients");
  EXPECT_THAT(fixture.desk.asked(), IsEmpty());
}

TEST(QuarantineRoutes, DoWhatPeopleDecide) {
  RoutesFixture fixture;
  const auto done = fixture.post(kMail + "/release",
                                 R"({"recipients":["a@x.example","b@x.example"],"why":"ours",)"
                                 R"("accept_like":true,"wrong":true})");
  ASSERT_EQ(done.status, 200) << done.body;
  const json::value receipt = json::parse(done.body);
  EXPECT_EQ(receipt.at("copies").as_int64(), 2);
  EXPECT_EQ(receipt.at("incident").as_string(), "i-4");
  fixture.post(kMail + "/release", "{}");
  fixture.post(kMail + "/discard", R"({"recipients":["a@x.example"],"why":"spam"})");
  fixture.post(kMail + "/extend", R"({"until":"10d","why":"court"})");
  fixture.post(kMail + "/settle", R"({"arrived":false})");
  fixture.post("/v1/quarantine/release", R"({"decision":"d-17","paced":true,"why":"fine"})");
  EXPECT_EQ(fixture.desk.last_held_search().decision, DecisionId{17});
  fixture.post("/v1/quarantine/hold-again", R"({"requested":true,"why":"stop"})");
  EXPECT_TRUE(fixture.desk.last_held_search().requested);
  fixture.post("/v1/quarantine/discard", R"({"subject":"spam","why":"spam"})");
  fixture.post("/v1/quarantine/erase", R"({"address":"a@x.example","why":"asked"})");
  fixture.post("/v1/quarantine/rekey", "");
  fixture.post("/v1/quarantine/exceptions/end", R"({"name":"held-1","why":"enough"})");
  EXPECT_THAT(
      fixture.desk.asked(),
      ElementsAre("release " + kHex + " [a@x.example,b@x.example] like wrong token ops: ours",
                  "release " + kHex + " [] token ops: ",
                  "discard " + kHex + " [a@x.example] token ops: spam",
                  "extend " + kHex + " 2026-12-04T12:00:00Z token ops: court",
                  "settle " + kHex + " again token ops: ", "release found paced token ops: fine",
                  "hold again token ops: stop", "discard found token ops: spam",
                  "erase a@x.example token ops: asked", "rekey token ops",
                  "end held-1 token ops: enough"));
}

TEST(QuarantineRoutes, GiveTheExactBytesAsAFile) {
  RoutesFixture fixture;
  const auto response = fixture.ask("GET", kMail + "/eml");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "message/rfc822");
  EXPECT_EQ(response.body, "Subject: x\r\n\r\n<b>\"\\\x1b[31m\xff\xc3\xa4");
  EXPECT_EQ(header_of(response, "Content-Disposition"),
            "attachment; filename=\"" + kHex + ".eml\"");
  EXPECT_THAT(fixture.desk.asked(), ElementsAre("bytes " + kHex + " token ops"));
}

TEST(QuarantineRoutes, WithoutAQuarantineTheySaySo) {
  RoutesFixture fixture;
  fixture.desk.has_quarantine = false;
  for (const Route& route : routes()) {
    if (!route.path.starts_with("/v1/quarantine") || route.lane == Lane::push) continue;
    EXPECT_EQ(fixture.ask(std::string(route.method), with_id(route.path), {}, good_body(route.path))
                  .status,
              409)
        << route.path;
  }
  EXPECT_EQ(fixture.ask("GET", "/v1/quarantine/request", {{"t", "good"}}).status, 404);
}

TEST(ReleaseRequest, LookingChangesNothing) {
  RoutesFixture fixture;
  const auto page = fixture.ask("GET", "/v1/quarantine/request", {{"t", "good"}});
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.body, HasSubstr("<form method=\"post\"><button>"));
  EXPECT_EQ(header_of(page, "Referrer-Policy"), "no-referrer");
  EXPECT_THAT(header_of(page, "Content-Security-Policy"), HasSubstr("default-src 'none'"));
  EXPECT_THAT(header_of(page, "Content-Security-Policy"), HasSubstr("frame-ancestors 'none'"));
  EXPECT_THAT(fixture.desk.asked(), ElementsAre("look"));
  EXPECT_THAT(fixture.ask("GET", "/v1/quarantine/request", {{"t", "asked"}}).body,
              Not(HasSubstr("<form")));
  EXPECT_EQ(fixture.ask("GET", "/v1/quarantine/request", {{"t", "gone"}}).status, 410);
}

TEST(ReleaseRequest, AForgedOrUsedLinkGetsAPageOfItsOwn) {
  RoutesFixture fixture;
  EXPECT_THAT(fixture.ask("POST", "/v1/quarantine/request", {{"t", "good"}}).body,
              HasSubstr("You have asked"));
  for (const char* const method : {"GET", "POST"}) {
    for (const auto& query : std::vector<decltype(net::HttpRequest::query)>{
             {{"t", "<script>alert(1)</script>"}}, {}, {{"t", ""}}, {{"t", "good"}, {"x", "y"}}}) {
      const auto page = fixture.ask(method, "/v1/quarantine/request", query);
      EXPECT_EQ(page.status, 404) << method;
      EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
      EXPECT_THAT(page.body, Not(HasSubstr("script")));
      EXPECT_THAT(page.body, HasSubstr("This link cannot be used"));
    }
  }
  fixture.desk.break_down({Code::unavailable, "not now", ""});
  const auto later = fixture.ask("POST", "/v1/quarantine/request", {{"t", "good"}});
  EXPECT_EQ(later.status, 503);
  EXPECT_EQ(header_of(later, "Retry-After"), "5");
}

}  // namespace
}  // namespace watchpost::api
