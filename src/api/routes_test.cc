#include "api/routes.h"

#include "api/routes_fixture.h"

#include <string>
#include <vector>

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace watchpost::api {
namespace {

namespace json = boost::json;
using std::string_literals::operator""s;

std::string what_of(const net::HttpResponse& response) {
  return std::string(json::parse(response.body).at("error").at("what").as_string());
}
std::string about_of(const net::HttpResponse& response) {
  return std::string(json::parse(response.body).at("error").at("about").as_string());
}

TEST(Routes, AreFoundOrNot) {
  EXPECT_EQ(find_route("GET", "/v1/incidents/i-4")->id, "i-4");
  EXPECT_EQ(find_route("HEAD", "/v1/status")->route->method, "GET");
  EXPECT_EQ(find_route("POST", "/v1/decisions/17/revoke")->id, "17");
  for (const char* path : {"/", "/v1", "/v1/incidents/", "/v1/incidents/a/b", "/v1/status/",
                           "/v1/decisions//revoke", "//v1/status", "/V1/status", "/v1/stats"}) {
    const auto match = find_route("GET", path);
    ASSERT_FALSE(match) << path;
    EXPECT_EQ(match.error().status, 404) << path;
  }
  EXPECT_EQ(what_of(find_route("GET", "/v1/stats").error()),
            "there is nothing here; did you mean `/v1/status`?");
  const auto wrong = find_route("DELETE", "/v1/events");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().status, 405);
  EXPECT_EQ(wrong.error().headers.at(0), (std::pair{"Allow"s, "GET, POST"s}));
}

TEST(Routes, TurnQueriesIntoSearches) {
  RoutesFixture fixture;
  const auto response = fixture.ask("GET", "/v1/events",
                                    {{"since", "2h"},
                                     {"until", "2026-11-24T11:00:00Z"},
                                     {"kind", "bounced"},
                                     {"where", "size > 1000"},
                                     {"limit", "7"},
                                     {"after", "c"},
                                     {"credential", "alice"},
                                     {"class", "unknown_user"}});
  ASSERT_EQ(response.status, 200) << response.body;
  const auto search = fixture.desk.last_search();
  EXPECT_EQ(format_time(*search.since), "2026-11-24T10:00:00Z");
  EXPECT_EQ(format_time(*search.until), "2026-11-24T11:00:00Z");
  EXPECT_EQ(search.kind, "bounced");
  EXPECT_EQ(search.where, "size > 1000");
  EXPECT_EQ(search.limit, 7u);
  EXPECT_EQ(search.after, "c");
  ASSERT_EQ(search.equal.size(), 2u);
  EXPECT_EQ(search.equal[0], (Stream::Part{Field::credential, "alice"}));
  EXPECT_EQ(search.equal[1], (Stream::Part{Field::class_, "unknown_user"}));
}

TEST(Routes, RefuseBadQueries) {
  RoutesFixture fixture;
  const struct {
    std::string path, name, value, about;
  } cases[] = {
      {"/v1/events", "custommer", "a", "custommer"}, {"/v1/events", "since", "soon", "since"},
      {"/v1/events", "limit", "0", "limit"},         {"/v1/events", "limit", "10001", "limit"},
      {"/v1/events", "limit", "-1", "limit"},        {"/v1/events", "limit", "1x", "limit"},
      {"/v1/events", "kind", "bouncd", "kind"},      {"/v1/status", "x", "1", "x"},
      {"/v1/incidents", "all", "yes", "all"},        {"/v1/explain", "stream", "size=1", "stream"},
      {"/v1/explain", "stream", "", "stream"},       {"/v1/incidents/four", "", "", "id"},
      {"/v1/audit", "all", "true", "all"},
  };
  for (const auto& one : cases) {
    decltype(net::HttpRequest::query) query;
    if (!one.name.empty()) query[one.name] = one.value;
    const auto response = fixture.ask("GET", one.path, query);
    EXPECT_EQ(response.status, 400) << one.path << "?" << one.name << "=" << one.value;
    EXPECT_EQ(about_of(response), one.about);
  }
  EXPECT_EQ(what_of(fixture.ask("GET", "/v1/events", {{"custommer", "a"}})),
            "`custommer` is not a query field here; did you mean `customer`?");
  EXPECT_EQ(fixture.desk.asked(), std::vector<std::string>{});
}

TEST(Routes, DoWhatPeopleDecide) {
  RoutesFixture fixture;
  for (const Route& route : routes()) {
    if (route.method != "POST" || route.lane == Lane::push) continue;
    if (route.path.starts_with("/v1/quarantine")) continue;  // see quarantine_routes_test.cc
    EXPECT_EQ(fixture.post(with_id(route.path), good_body(route.path)).status, 200) << route.path;
  }
  EXPECT_EQ(fixture.desk.asked(),
            (std::vector<std::string>{
                "confirm i-4 compromised token ops: seen", "false_positive i-4 token ops: a test",
                "note i-4 token ops: called them",
                "revoke d-17 token ops: ", "impose suspend 1h on credential=bob token ops: ",
                "release credential=bob token ops: solved",
                "suppress a@x.example for  because by_hand token ops: ",
                "lift a@x.example for  because  token ops: a test",
                "import a@x.example\n for  because imported token ops: ",
                "forget domain shop.example token ops: ours", "automation off token ops: storm",
                "reload token ops"}));
}

TEST(Routes, RefuseBadBodies) {
  RoutesFixture fixture;
  const struct {
    std::string path, body, about;
  } cases[] = {
      {"/v1/measures", "", "scope"},
      {"/v1/measures", "[]", ""},
      {"/v1/measures", "{", ""},
      {"/v1/measures", R"({"scope":"credential=a"})", "measure"},
      {"/v1/measures", R"({"scope":"","measure":"suspend 1h"})", "scope"},
      {"/v1/measures", R"({"scope":"creditial=a","measure":"suspend 1h"})", "scope"},
      {"/v1/measures", R"({"scope":"credential=a","measure":"suspend"})", "measure"},
      {"/v1/measures", R"({"scope":"credential=a","measure":"notify desk"})", "measure"},
      {"/v1/measures", R"({"scope":1,"measure":"suspend 1h"})", "scope"},
      {"/v1/measures", R"({"scope":true,"measure":"suspend 1h"})", "scope"},
      {"/v1/measures", R"({"scop":"credential=a","measure":"suspend 1h"})", "scop"},
      {"/v1/automation", R"({"why":"x"})", "on"},
      {"/v1/automation", R"({"on":"false"})", "on"},
      {"/v1/automation", R"({"on":[[[[[[]]]]]]})", ""},
      {"/v1/incidents/i-4/confirm", R"({"verdict":"stolen"})", "verdict"},
      {"/v1/incidents/i-4/confirm", R"({"verdict":"none"})", "verdict"},
      {"/v1/incidents/i-4/confirm", R"({"verdict":"false_positive"})", "verdict"},
      {"/v1/incidents/x/confirm", R"({"verdict":"content"})", "id"},
      {"/v1/incidents/i-4/note", R"({"text":" "})", "text"},
      {"/v1/decisions/i-4/revoke", "{}", "id"},
      {"/v1/reload", R"({"now":true})", "now"},
  };
  for (const auto& one : cases) {
    const auto response = fixture.post(one.path, one.body);
    EXPECT_EQ(response.status, 400) << one.path << one.body;
    EXPECT_EQ(about_of(response), one.about) << one.body << response.body;
  }
  EXPECT_EQ(fixture.post("/v1/incidents/i-4/note", R"({"text":")" + std::string(5000, 'x') + "\"}")
                .status,
            400);
  EXPECT_EQ(fixture.desk.asked(), std::vector<std::string>{});
}

TEST(Routes, SayWhoMustAct) {
  RoutesFixture fixture;
  EXPECT_EQ(fixture.ask("GET", "/v1/incidents/i-5").status, 404);
  EXPECT_EQ(fixture.post("/v1/decisions/d-1/revoke", "{}").status, 409);
  for (const auto& [code, status] : std::vector<std::pair<Code, int>>{{Code::bad_input, 400},
                                                                      {Code::not_found, 404},
                                                                      {Code::refused, 409},
                                                                      {Code::unavailable, 503},
                                                                      {Code::exhausted, 503},
                                                                      {Code::timed_out, 504},
                                                                      {Code::corrupt, 500},
                                                                      {Code::internal, 500}}) {
    EXPECT_EQ(response_to(Error{code, "x", ""}).status, status);
  }
  EXPECT_EQ(response_to(Error{Code::unavailable, "x", ""}).headers.at(0),
            (std::pair{"Retry-After"s, "5"s}));
}

TEST(Routes, TakeEvents) {
  RoutesFixture fixture;
  const auto taken = fixture.post("/v1/events", "a\nb");
  EXPECT_EQ(taken.status, 200);
  EXPECT_EQ(taken.body,
            "{\"accepted\":2,\"refused\":[{\"line\":3,\"why\":\"no `kind`\xEF\xBF\xBD\"}],"
            "\"refused_total\":1}");
  EXPECT_EQ(fixture.taken, "token ops: a\nb");
  const auto full = fixture.post("/v1/events", "full");
  EXPECT_EQ(full.status, 503);
  EXPECT_EQ(full.headers.at(0), (std::pair{"Retry-After"s, "5"s}));
}

TEST(Routes, TakeKumomtaRecordsWithTheNamesThatAreGiven) {
  RoutesFixture fixture;
  const auto taken =
      fixture.ask("POST", "/v1/kumomta",
                  {{"customer", "account,record:egress_pool"}, {"client", "from"}}, "[]");
  EXPECT_EQ(taken.status, 200);
  EXPECT_EQ(fixture.taken, "token ops: []");
  const feedback::KumomtaNames& names = fixture.kumomta_names;
  EXPECT_EQ(names.customer, (std::vector<std::string>{"account", "record:egress_pool"}));
  EXPECT_EQ(names.client, std::vector<std::string>{"from"});
  EXPECT_EQ(names.campaign, feedback::KumomtaNames{}.campaign);
  EXPECT_EQ(fixture.ask("POST", "/v1/kumomta", {{"custommer", "a"}}, "[]").status, 400);
}

TEST(Routes, SayWhetherAllIsWell) {
  RoutesFixture fixture;
  EXPECT_EQ(fixture.ask("GET", "/health").status, 200);
  fixture.desk.set_healthy(true, false);
  EXPECT_EQ(fixture.ask("GET", "/health").status, 503);
  fixture.desk.set_healthy(false, true);
  EXPECT_EQ(fixture.ask("GET", "/health").status, 503);
  fixture.desk.break_down({Code::unavailable, "gone", ""});
  EXPECT_EQ(fixture.ask("GET", "/health").status, 503);
  fixture.metrics.counter("x", "An x.").add();
  const auto metrics = fixture.ask("GET", "/metrics");
  EXPECT_TRUE(metrics.content_type.starts_with("application/openmetrics-text"));
  EXPECT_TRUE(metrics.body.ends_with("x_total 1\n# EOF\n"));
}

TEST(Views, WriteNumbersAsPeopleDo) {
  RoutesFixture fixture;
  const std::string body = fixture.ask("GET", "/v1/incidents/i-4").body;
  for (const char* part :
       {R"("value":0.3,)", R"("threshold":null)", R"("bounced":18)", R"("attempted":null)",
        R"("detector_version":"ffffffffffffffff")", R"("delay":0.5)", R"("then":["suspend 1h"])"}) {
    EXPECT_NE(body.find(part), std::string::npos) << part << body;
  }
}

}  // namespace
}  // namespace watchpost::api
