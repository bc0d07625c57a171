#include "api/routes_fixture.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::api {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Unsubscribe, LookingChangesNothingAndShowsAButton) {
  RoutesFixture routes;
  const auto response = routes.ask("GET", "/u/wp1good");
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, HasSubstr("<button>"));
  EXPECT_THAT(response.body, Not(HasSubstr("wp1good")));
  EXPECT_EQ(routes.taken, "");
  EXPECT_EQ(routes.ask("HEAD", "/u/wp1good").status, 200);
  EXPECT_EQ(routes.taken, "");
}

TEST(Unsubscribe, OneClickDoes) {
  const std::string multipart =
      "--b1\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n"
      "--b1--\r\n";
  for (const std::string& body : {std::string("List-Unsubscribe=One-Click"), multipart,
                                  std::string("x=1&List-Unsubscribe=One-Click")}) {
    RoutesFixture routes;
    EXPECT_EQ(routes.post("/u/wp1good", body).status, 200) << body;
    EXPECT_EQ(routes.taken, "wp1good");
  }
}

TEST(Unsubscribe, WhatDoesNotAskForItDoesNothing) {
  for (const char* const body :
       {"", "List-Unsubscribe=", "unsubscribe", "name=\"list-unsubscribe\"",
        "name=\"list-unsubscribe\"\r\n\r\nno"}) {
    RoutesFixture routes;
    EXPECT_EQ(routes.post("/u/wp1good", body).status, 400) << body;
    EXPECT_EQ(routes.taken, "");
  }
}

TEST(Unsubscribe, ABadTokenIsToldApartFromAFullDisk) {
  RoutesFixture routes;
  EXPECT_EQ(routes.post("/u/wp1bad", "List-Unsubscribe=One-Click").status, 404);
  EXPECT_EQ(routes.ask("PUT", "/u/wp1good").status, 405);
}

TEST(Unsubscribe, ATokenThatDoesNotSayWhomIsNoSuccess) {
  RoutesFixture routes;
  const auto response = routes.post("/u/wp1nobody", "List-Unsubscribe=One-Click");
  EXPECT_EQ(response.status, 422);
  EXPECT_THAT(response.body, HasSubstr("not unsubscribed"));
  EXPECT_THAT(response.body, Not(HasSubstr("You get no more")));
}

TEST(Unsubscribe, SaysThatSomebodyIsOffTheListOnlyWhereThatIsSo) {
  RoutesFixture routes;
  EXPECT_THAT(routes.post("/u/wp1good", "List-Unsubscribe=One-Click").body,
              HasSubstr("off the list"));
  const auto response = routes.post("/u/wp1norule", "List-Unsubscribe=One-Click");
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, Not(HasSubstr("off the list")));
}

TEST(Unsubscribe, NeedsNoOtherRight) {
  for (const char* const method : {"GET", "POST"}) {
    const auto match = find_route(method, "/u/wp1good");
    ASSERT_TRUE(match);
    EXPECT_FALSE(match->route->role);
  }
}

}  // namespace
}  // namespace watchpost::api
