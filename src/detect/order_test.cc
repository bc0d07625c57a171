// Counters are sums: the same events, in whatever pieces and order they come within the lateness,
// come to the same numbers, and the same conditions hold of them.
#include "detect/test_events.h"
#include "detect/watch.h"

#include <algorithm>
#include <map>
#include <random>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::detect {
namespace {

constexpr WatchLimits kLimits{.lateness = 15min};

// Those whose numbers say something of the order (`new`, `in_order`, `climbs`) are not among them.
std::vector<Detector> detectors() {
  return {detector_of({.name = "bounces",
                       .watch = {"credential", "customer campaign"},
                       .window = 10min,
                       .when = "bounced(class == unknown_user) / attempted exceeds 20% at 5%",
                       .guard = "attempted >= 4"}),
          detector_of({.name = "networks",
                       .watch = {"credential", "customer"},
                       .window = 10min,
                       .when = "distinct(login(outcome == success), client_network) >= 3"}),
          detector_of({.name = "recipients",
                       .watch = {"customer"},
                       .window = 1h,
                       .when = "distinct(bounced, recipient) / bounced > 70%"}),
          detector_of({.name = "complaints",
                       .watch = {"customer", "customer provider"},
                       .window = 24h,
                       .when = "complained / delivered exceeds 1% at 5%",
                       .cohort = 1h})};
}

class Mail {
 public:
  explicit Mail(uint32_t seed) : random_(seed) {
    for (int i = 0; i < 3000; ++i) texts_.push_back(text());
    for (const std::string& text : texts_) {
      events_.push_back(event_at(Duration(random_() % Duration(14min).count()), text));
    }
  }
  std::vector<Event>& events() { return events_; }
  void shuffle() { std::shuffle(events_.begin(), events_.end(), random_); }
  size_t below(size_t limit) { return random_() % limit; }

 private:
  std::string text() {
    static constexpr std::array kKinds{
        "delivered", "delivered", "bounced class=unknown_user", "bounced class=policy",
        "deferred",  "accepted",  "login outcome=success",      "login outcome=failure"};
    const auto one = [&](const char* name, size_t of) {
      return fmt::format(" {}={}{}", name, name[0], below(of));
    };
    std::string all = kKinds[below(kKinds.size())];
    if (below(20) == 0) all = fmt::format("complained delay={}m", below(1300));
    return all + one("credential", 30) + one("customer", 9) + one("campaign", 4) +
           one("provider", 3) + one("client_network", 40) + one("recipient", 500);
  }

  std::mt19937 random_;
  std::vector<std::string> texts_;
  std::vector<Event> events_;
};

// Everything that can be seen of all streams.
std::map<std::string, std::string> seen(const Watch& watch, const std::vector<Event>& events) {
  std::map<std::string, std::string> all;
  for (const Event& event : events) {
    Stream stream;
    for (const Field field :
         {Field::credential, Field::customer, Field::campaign, Field::provider}) {
      stream.parts.push_back({field, std::string(event[field])});
    }
    for (const DetectorView& view : watch.explain(stream)) {
      std::string& what = all[view.detector + view.stream.text()];
      if (!what.empty()) continue;
      what = fmt::format("{} {}", view.guard_holds, view.because.back());
      for (const auto& [name, count] : view.counts) what += fmt::format(" {}={}", name, count);
    }
  }
  return all;
}

class Order : public testing::TestWithParam<uint32_t> {};

TEST_P(Order, AnyOrderAndSplitComesToTheSame) {
  Mail mail(GetParam());
  std::ranges::sort(mail.events(), {}, &Event::at);
  const std::vector<Event> in_order = mail.events();
  std::vector<Signal> signals;
  Watch wanted(detectors(), kLimits);
  for (const Event& event : in_order) wanted.on(event, signals);
  wanted.advance_to(kTestStart + 14min);
  const auto expected = seen(wanted, in_order);
  EXPECT_GT(expected.size(), 100U);
  for (int round = 0; round < 3; ++round) {
    mail.shuffle();
    Watch watch(detectors(), kLimits);
    for (const Event& event : mail.events()) {
      watch.on(event, signals);
      if (mail.below(1000) != 0) continue;
      Watch next(detectors(), kLimits);  // another process goes on
      ASSERT_TRUE(next.restore(watch.save()).has_value());
      watch = std::move(next);
    }
    watch.advance_to(kTestStart + 14min);
    EXPECT_EQ(seen(watch, in_order), expected);
    EXPECT_EQ(watch.stats().streams, wanted.stats().streams);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, Order, testing::Range(1U, 6U));

}  // namespace
}  // namespace watchpost::detect
