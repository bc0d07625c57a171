#include "detect/sketches/alphabet.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

namespace watchpost::detect {
namespace {

TEST(AlphabetWalk, FollowsInTheOrderOfTheAlphabetAtOneDomain) {
  const struct {
    const char* value;
    bool follows;
    const char* why;
  } kCases[] = {
      {"aaron@gmx.example", false, "nothing came yet"},
      {"abel@gmx.example", true, "after aaron"},
      {"ABRAHAM@GMX.Example", true, "capitals are letters"},
      {"abraham@gmx.example", false, "the same again"},
      {"abe@gmx.example", false, "before"},
      {"adam@web.example", false, "another domain"},
      {"bert@web.example", true, "after adam"},
      {"berta@web.example", true, "longer"},
      {"zoe", false, "no domain is another domain"},
      {"zoo", true, "two without one"},
      {"", false, "nothing at all"},
      {"@", false, "no more than nothing"},
      {"\xff\xfe@web.example", false, "bytes beyond ASCII"},
      {"zz@web.example", false, "come after all letters"},
      {"zz@web.example@web.example", true, "the last @ counts"},
  };
  AlphabetWalk walk;
  for (const auto& c : kCases) {
    EXPECT_EQ(walk.follows(c.value), c.follows) << c.value << ": " << c.why;
  }
}

TEST(AlphabetWalk, GoesOnWhereItWasRestored) {
  AlphabetWalk walk;
  walk.follows("kim@one.example");
  AlphabetWalk restored;
  restored.restore(walk.last(), walk.domain());
  EXPECT_TRUE(restored.follows("lea@one.example"));
  restored.restore(walk.last(), walk.domain());
  EXPECT_FALSE(restored.follows("joe@one.example"));
}

TEST(AlphabetWalk, MailOfPeopleFollowsHalfOfTheTime) {
  std::mt19937 random(3);
  AlphabetWalk walk;
  int follows = 0;
  for (int i = 0; i < 10'000; ++i) {
    std::string local(6, 'a');
    for (char& c : local) c = static_cast<char>('a' + random() % 26);
    follows += walk.follows(local + "@one.example");
  }
  EXPECT_NEAR(follows, 5'000, 250);
}

TEST(AlphabetWalk, HugeValuesAreFine) {
  AlphabetWalk walk;
  const std::string domain = '@' + std::string(100'000, 'x');
  EXPECT_FALSE(walk.follows(std::string(100'000, 'a') + domain));
  EXPECT_TRUE(walk.follows("b" + domain));
}

}  // namespace
}  // namespace watchpost::detect
