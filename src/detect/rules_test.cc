#include "detect/rules.h"

#include <gtest/gtest.h>

namespace watchpost::detect {
namespace {

DetectorSettings good() {
  return {.name = "unknown users",
          .watch = {"credential", "customer campaign"},
          .window = std::chrono::minutes(10),
          .when = "bounced(class == unknown_user) / attempted exceeds 2%",
          .guard = "attempted >= 10",
          .mode = "enforce",
          .then = {"suspend 1h", "notify abuse-desk"}};
}

TEST(MakeDetector, ReadsAllSettings) {
  const auto detector = make_detector(good());
  ASSERT_TRUE(detector.has_value()) << detector.error().text();
  EXPECT_EQ(detector->watch.size(), 2U);
  EXPECT_EQ(detector->watch[1], (std::vector{Field::customer, Field::campaign}));
  EXPECT_EQ(detector->mode, Mode::enforce);
  EXPECT_EQ(detector->then[0].kind, MeasureKind::suspend);
  EXPECT_EQ(detector->guard.size(), 1U);
  EXPECT_EQ(detector->direction, Direction::outbound);
}

struct Refused {
  const char* name;
  void (*spoil)(DetectorSettings&);
  const char* about;
};

class MakeDetectorRefuses : public testing::TestWithParam<Refused> {};

TEST_P(MakeDetectorRefuses, WithTheSettingNamed) {
  DetectorSettings settings = good();
  GetParam().spoil(settings);
  const auto detector = make_detector(settings);
  ASSERT_FALSE(detector.has_value());
  EXPECT_EQ(detector.error().code, Code::bad_input);
  EXPECT_EQ(detector.error().about.substr(0, std::string_view(GetParam().about).size()),
            GetParam().about)
      << detector.error().text();
}

INSTANTIATE_TEST_SUITE_P(
    All, MakeDetectorRefuses,
    testing::Values(
        Refused{"no_name", [](DetectorSettings& s) { s.name = " "; }, "name"},
        Refused{"two_lines", [](DetectorSettings& s) { s.name = "a\nb"; }, "name"},
        Refused{"nothing_watched", [](DetectorSettings& s) { s.watch.clear(); }, "watch"},
        Refused{"no_dimension", [](DetectorSettings& s) { s.watch = {"credentail"}; }, "watch"},
        Refused{"watched_twice",
                [](DetectorSettings& s) { s.watch = {"customer campaign", "campaign customer"}; },
                "watch"},
        Refused{"short_window", [](DetectorSettings& s) { s.window = 9s; }, "window"},
        Refused{"long_window", [](DetectorSettings& s) { s.window = 24h * 8; }, "window"},
        Refused{"broken_window", [](DetectorSettings& s) { s.window = 10500ms; }, "window"},
        Refused{"no_condition", [](DetectorSettings& s) { s.when.clear(); }, "when"},
        Refused{"bad_condition", [](DetectorSettings& s) { s.when = "bouncd > 3"; },
                "when, column 1"},
        Refused{"bad_guard", [](DetectorSettings& s) { s.guard = "attempted >="; },
                "guard, column"},
        Refused{"bad_mode", [](DetectorSettings& s) { s.mode = "enforced"; }, "mode"},
        Refused{"bad_measure", [](DetectorSettings& s) { s.then = {"suspend"}; }, "then"},
        Refused{"enforces_nothing", [](DetectorSettings& s) { s.then.clear(); }, "then"},
        Refused{"bad_error_rate", [](DetectorSettings& s) { s.error_rate = 0; }, "error_rate"},
        Refused{"no_number", [](DetectorSettings& s) { s.error_rate = 0.0 / 0.0; }, "error_rate"},
        Refused{"bad_direction", [](DetectorSettings& s) { s.direction = "out"; }, "direction"}),
    [](const auto& test) { return test.param.name; });

TEST(MakeDetector, TheVersionChangesWithWhatDecidesAndOnlyWithThat) {
  const uint64_t version = make_detector(good())->version;
  DetectorSettings same = good();
  same.name = "another name";
  same.mode = "shadow";
  same.then = {"notify abuse-desk"};
  same.when = "bounced( class==unknown_user )/attempted   exceeds 2%";
  EXPECT_EQ(make_detector(same)->version, version);
  const auto changed = [&](auto change) {
    DetectorSettings settings = good();
    change(settings);
    return make_detector(settings)->version != version;
  };
  EXPECT_TRUE(changed([](auto& s) { s.window = 11min; }));
  EXPECT_TRUE(changed([](auto& s) { s.when = "bounced / attempted exceeds 2%"; }));
  EXPECT_TRUE(changed([](auto& s) { s.guard = ""; }));
  EXPECT_TRUE(changed([](auto& s) { s.watch.pop_back(); }));
  EXPECT_TRUE(changed([](auto& s) { s.error_rate = 1e-5; }));
  EXPECT_TRUE(changed([](auto& s) { s.direction = "inbound"; }));
}

TEST(Rules, ALadderGoesUp) {
  DetectorSettings settings{.name = "x",
                            .watch = {"credential"},
                            .when = "bounced >= 5",
                            .mode = "enforce",
                            .then = {"suspend 1d", "hold 1h"}};
  EXPECT_TRUE(make_detector(settings)) << "the strictest is taken, wherever it stands";
  settings.escalate = true;
  const auto refused = make_detector(settings);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().about, "then");
  settings.then = {"notify desk", "hold 1h", "suspend 1h", "suspend 1d"};
  EXPECT_TRUE(make_detector(settings));
}

}  // namespace
}  // namespace watchpost::detect
