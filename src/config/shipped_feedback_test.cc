// Complaints, late bounces and requests to unsubscribe against the detectors that ship: which of
// them see what, by whom it is watched, and what is too little.
#include "config/configuration.h"
#include "detect/test_events.h"
#include "detect/watch.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::config {
namespace {

using detect::event_at;
using detect::kTestStart;
using testing::Contains;
using testing::IsSupersetOf;
using testing::Not;
using testing::Pair;

constexpr std::string_view kShared = "feedback at a provider or about an address";
constexpr std::string_view kMail =
    "customer=acme campaign=spring credential=news@acme provider=yahoo source_ip=192.0.2.1";

class ShippedFeedback : public ::testing::Test {
 protected:
  void SetUp() override {
    auto shipped = load(std::string(WATCHPOST_SOURCE_DIR) + "/config/watchpost.toml");
    ASSERT_TRUE(shipped);
    rules_ = std::move(shipped->rules);
    watch_ = std::make_unique<detect::Watch>(rules_, detect::WatchLimits());
  }
  // So many events of that mail, or of `mail`, at that time after the first.
  void see(Duration at, int times, std::string_view what, std::string_view mail = kMail) {
    watch_->advance_to(kTestStart + at);
    const std::string text = fmt::format("{} {}", what, mail);
    for (int i = 0; i < times; ++i) watch_->on(event_at(at, text), signals_);
  }
  // Detector and stream of each signal.
  std::set<std::pair<std::string, std::string>> fired() const {
    std::set<std::pair<std::string, std::string>> fired;
    for (const Signal& signal : signals_) fired.emplace(signal.detector, signal.stream.text());
    return fired;
  }
  static std::set<std::pair<std::string, std::string>> each(
      std::string_view detector, const std::vector<std::string>& streams) {
    std::set<std::pair<std::string, std::string>> pairs;
    for (const std::string& stream : streams) pairs.emplace(detector, stream);
    return pairs;
  }

  std::vector<detect::Detector> rules_;
  std::unique_ptr<detect::Watch> watch_;
  std::vector<Signal> signals_;
};

const std::vector<std::string> kOwners{"customer=acme", "customer=acme campaign=spring",
                                       "credential=news@acme"};
const std::vector<std::string> kEverybodys{"provider=yahoo", "source_ip=192.0.2.1"};
constexpr std::string_view kLate = "bounced class=unknown_user proof=token delay=5h";

TEST_F(ShippedFeedback, ComplaintsCountForWhoeverSentTheMailAndWhereItWent) {
  see(0s, 3'000, "delivered");
  see(5h, 40, "complained proof=token delay=5h");
  EXPECT_THAT(fired(), IsSupersetOf(each("complaints by send time", kOwners)));
  EXPECT_THAT(fired(), IsSupersetOf(each(kShared, kEverybodys)));
}

TEST_F(ShippedFeedback, ABurstCountsForTheLoginToo) {
  see(0s, 500, "delivered");
  see(10min, 40, "complained proof=token delay=10m");
  EXPECT_THAT(fired(), IsSupersetOf(each("complaint burst", kOwners)));
}

TEST_F(ShippedFeedback, LateBouncesCountForTheHourOfTheirMail) {
  see(0s, 2'000, "delivered");
  see(5h, 100'000, "delivered");  // of the same login, and good
  see(5h, 250, kLate);
  EXPECT_THAT(fired(),
              IsSupersetOf(each("late bounces by send time",
                                {"customer=acme campaign=spring", "credential=news@acme"})));
  // Of all mail of the day they are nothing.
  EXPECT_THAT(fired(), Not(Contains(Pair(std::string(kShared), testing::_))));
}

TEST_F(ShippedFeedback, LateBouncesOfManyAreTheProvidersOrTheAddresss) {
  for (int i = 0; i < 50; ++i) {
    const std::string mail = fmt::format(
        "customer=c{0} campaign=x credential=l{0} provider=yahoo source_ip=192.0.2.1", i);
    see(0s, 100, "delivered", mail);
    see(1s, 10, "bounced class=unknown_user proof=token delay=1s", mail);
  }
  EXPECT_THAT(fired(), IsSupersetOf(each(kShared, kEverybodys)));
  EXPECT_THAT(fired(), Not(Contains(Pair("late bounces by send time", testing::_))))
      << "none of them has sent enough";
}

TEST_F(ShippedFeedback, BouncesThatALogTellsOfAreNotLate) {
  see(0s, 2'000, "delivered");
  see(5h, 250, "bounced class=unknown_user delay=5h");
  EXPECT_THAT(fired(), Not(Contains(Pair("late bounces by send time", testing::_))));
}

TEST_F(ShippedFeedback, WhoLeavesCountsForTheHourOfTheMail) {
  see(0s, 2'000, "delivered");
  see(30h, 100'000, "delivered");
  see(30h, 120, "unsubscribed proof=token delay=30h");
  EXPECT_THAT(fired(), IsSupersetOf(each("unsubscribe surge", kOwners)));
}

// What healthy mailings come to, as it comes: a complaint in a thousand, one in a hundred who is
// not there, and eight in a thousand who leave, most of them at once.
TEST_F(ShippedFeedback, HealthyMailMovesNothing) {
  see(0s, 20'000, "delivered");
  for (const auto& [at, part] : {std::pair(Duration(1min), 4), std::pair(Duration(10min), 3),
                                 std::pair(Duration(1h), 2), std::pair(Duration(10h), 1)}) {
    const std::string delay = fmt::format("proof=token delay={}", format_duration(at));
    see(at, 20 * part / 10, "complained " + delay);
    see(at, 200 * part / 10, "bounced class=unknown_user " + delay);
    see(at, 160 * part / 10, "unsubscribed " + delay);
  }
  EXPECT_TRUE(signals_.empty()) << signals_[0].detector << " " << signals_[0].because;
}

TEST_F(ShippedFeedback, TooLittleMovesNothing) {
  see(0s, 100, "delivered");
  see(1h, 4, "complained proof=token delay=1h");
  see(1h, 12, "bounced class=unknown_user proof=token delay=1h");
  see(1h, 15, "unsubscribed proof=token delay=1h");
  EXPECT_TRUE(signals_.empty()) << signals_[0].detector << " " << signals_[0].because;
}

// What many customers share is nobody's to be stopped for.
TEST_F(ShippedFeedback, NothingSharedHasAMeasure) {
  for (const detect::Detector& rule : rules_) {
    const bool shared = std::ranges::any_of(rule.watch, [](const auto& dimensions) {
      return std::ranges::all_of(
          dimensions, [](Field one) { return one == Field::provider || one == Field::source_ip; });
    });
    if (!shared) continue;
    EXPECT_EQ(rule.mode, Mode::notify) << rule.name;
    EXPECT_TRUE(rule.then.empty()) << rule.name;
  }
}

}  // namespace
}  // namespace watchpost::config
