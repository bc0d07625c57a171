// The keeper beside a model of it that is slow and plain.
#include "suppress/keeper.h"

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::suppress {
namespace {

const Time kNoon = *parse_time("2026-11-24T12:00:00Z");

struct Soft {
  size_t after;
  std::chrono::seconds within;
  std::chrono::seconds apart;
};

// Every event of a recipient since the last delivery or suppression, in a list that is looked
// through again each time.
class Naive {
 public:
  explicit Naive(Soft soft) : soft_(soft) {}

  bool bounce(const std::string& who, Time at) {
    auto& all = counted_[who];
    Time newest = at;
    for (const Time one : all) newest = std::max(newest, one);
    std::erase_if(all, [&](Time one) { return newest - one > soft_.within; });
    if (newest - at > soft_.within) return false;
    for (const Time one : all) {
      if ((one > at ? one - at : at - one) < soft_.apart) return false;
    }
    all.push_back(at);
    if (all.size() < soft_.after) return false;
    all.clear();
    return true;
  }
  void delivered(const std::string& who, Time at) {
    std::erase_if(counted_[who], [&](Time one) { return one <= at; });
  }

 private:
  Soft soft_;
  std::map<std::string, std::vector<Time>> counted_;
};

class Property : public ::testing::TestWithParam<Soft> {};

// Also with a restart at any moment, and events out of order.
TEST_P(Property, CountsAsThePlainModelDoes) {
  const Soft soft = GetParam();
  std::mt19937_64 random(soft.after * 1000 + static_cast<size_t>(soft.apart.count()));
  const SuppressSettings settings{.name = "soft",
                                  .when = "kind == bounced",
                                  .after = static_cast<int64_t>(soft.after),
                                  .within = soft.within,
                                  .apart = soft.apart};
  const Rule rule = make_rule(settings).value();
  auto counts = std::make_unique<Counts>(5, 10'000);
  Naive naive(soft);
  std::map<std::string, std::string> saved;
  size_t reached = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string recipient = fmt::format("u{}@x.example", random() % 20);
    const std::string customer = fmt::format("c{}", random() % 2);
    const std::string who = customer + " " + recipient;
    const Time at = kNoon + std::chrono::seconds(i * 20) -
                    std::chrono::seconds(random() % 3 == 0 ? random() % 4000 : 0);
    if (random() % 10 == 0) {
      naive.delivered(who, at);
      counts->delivered(customer, recipient, at, {});
    } else {
      const bool expected = naive.bounce(who, at);
      ASSERT_EQ(counts->add(rule, customer, recipient, at), expected) << i << " " << who;
      reached += expected ? 1 : 0;
    }
    for (auto& [name, value] : counts->take_changes()) {
      if (value.empty()) {
        saved.erase(name);
      } else {
        saved[name] = value;
      }
    }
    if (random() % 500 == 0) {
      counts = std::make_unique<Counts>(5, 10'000);
      counts->restore({saved.begin(), saved.end()});
    }
  }
  EXPECT_GT(reached, 10U);
}

INSTANTIATE_TEST_SUITE_P(Rules, Property,
                         ::testing::Values(Soft{2, 1000s, 0s}, Soft{3, 5000s, 0s},
                                           Soft{3, 20'000s, 1000s}, Soft{5, 40'000s, 3000s},
                                           Soft{20, 400'000s, 100s}));

TEST(Counts, AreBounded) {
  const Rule rule = make_rule({.name = "soft", .when = "kind == bounced", .after = 3}).value();
  Counts counts(5, 100);
  size_t kept = 0;
  for (int i = 0; i < 10'000; ++i) {
    counts.add(rule, "acme", fmt::format("u{}@x.example", i), kNoon + std::chrono::seconds(i));
    kept = std::max(kept, counts.size());
  }
  EXPECT_EQ(kept, 100U);
  // The one that was counted longest ago gave way.
  EXPECT_FALSE(counts.add(rule, "acme", "u9999@x.example", kNoon + 3h));
  EXPECT_TRUE(counts.add(rule, "acme", "u9999@x.example", kNoon + 3h));
  // What is too old goes by itself.
  const Time later = kNoon + std::chrono::days(30);
  for (int i = 0; i < 100; ++i)
    counts.add(rule, "acme", fmt::format("v{}@x.example", i % 2), later);
  EXPECT_LE(counts.size(), 2U);
}

}  // namespace
}  // namespace watchpost::suppress
