#include "api/access.h"

#include <unistd.h>

#include <gtest/gtest.h>

namespace watchpost::api {
namespace {

const std::vector<Token> kTokens{{"ops", "s3cret", Role::responder},
                                 {"shop", "other", Role::sender, true},
                                 {"empty", "", Role::responder}};

Result<Caller> with_header(std::string value) {
  net::HttpRequest request;
  if (!value.empty()) request.headers["authorization"] = std::move(value);
  request.headers["x-watchpost-who"] = "root";  // nobody asked
  return identify(request, kTokens, 1000);
}

TEST(Access, KnowsTokens) {
  const auto ops = with_header("Bearer s3cret");
  ASSERT_TRUE(ops);
  EXPECT_EQ(ops->who, "token ops");
  EXPECT_EQ(ops->role, Role::responder);
  EXPECT_FALSE(ops->read_mail);
  EXPECT_TRUE(with_header("Bearer other")->read_mail);
  EXPECT_EQ(with_header("bearer  other ")->who, "token shop");
  for (const char* value : {"", "s3cret", "Bearer", "Bearer ", "Bearer s3cre", "Bearer s3cret2",
                            "Basic s3cret", "Bearer S3CRET", "Bearer s3cret, Bearer other"}) {
    EXPECT_FALSE(with_header(value)) << value;
  }
}

TEST(Access, KnowsUsersOfTheSocket) {
  net::HttpRequest request;
  request.over_unix = true;
  request.peer_uid = 0;
  EXPECT_EQ(identify(request, kTokens, 1000)->who, "root (uid 0)");
  request.peer_uid = 1000;
  EXPECT_TRUE(identify(request, kTokens, 1000)->read_mail);
  request.peer_uid = 1001;
  request.headers["authorization"] = "Bearer s3cret";
  EXPECT_FALSE(identify(request, kTokens, 1000));
  request.peer_uid = 4'000'000'000;  // no such user
  EXPECT_EQ(identify(request, kTokens, 4'000'000'000)->who, "uid 4000000000");
}

TEST(Access, RolesAreNotALadder) {
  EXPECT_TRUE(may(Role::viewer, Role::viewer));
  EXPECT_TRUE(may(Role::responder, Role::viewer));
  EXPECT_TRUE(may(Role::responder, Role::sender));
  EXPECT_FALSE(may(Role::sender, Role::viewer));
  EXPECT_FALSE(may(Role::viewer, Role::sender));
  EXPECT_FALSE(may(Role::sender, Role::responder));
  EXPECT_FALSE(may(Role::viewer, Role::responder));
}

}  // namespace
}  // namespace watchpost::api
