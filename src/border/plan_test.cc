#include "border/plan.h"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

namespace watchpost::border {
namespace {

// "accept quarantine" of recipients a, b, ...; "tag, kept b".
std::string planned(const std::vector<Disposition>& done, bool may_keep) {
  static const std::vector<std::string> kNames{"a", "b", "c", "d", "e"};
  std::vector<Share> shares;
  for (size_t i = 0; i < done.size(); ++i) {
    shares.push_back({.recipient = kNames[i], .done = done[i]});
  }
  const Plan plan = plan_of(shares, may_keep);
  const std::string kept =
      plan.kept.empty() ? "" : fmt::format(", kept {}", fmt::join(plan.kept, " "));
  return fmt::format("{}{}", name_of(plan.whole), kept);
}

TEST(Plan, SaysTheStrictestThatCanBeToldOfAll) {
  using enum Disposition;
  struct Case {
    std::vector<Disposition> done;
    std::string_view keeping, without;
  };
  for (const Case& one : std::initializer_list<Case>{
           {{}, "accept", "accept"},
           {{accept, accept}, "accept", "accept"},
           {{tag, tag}, "tag", "tag"},
           {{tempfail, tempfail}, "tempfail", "tempfail"},
           {{quarantine}, "quarantine", "tempfail"},
           {{quarantine, quarantine}, "quarantine", "tempfail"},
           {{reject, reject}, "reject", "reject"},
           {{accept, tag}, "tag", "tag"},
           {{accept, tempfail}, "tempfail", "tempfail"},
           {{tag, tempfail, reject}, "tempfail", "tempfail"},
           {{quarantine, tempfail}, "tempfail", "tempfail"},
           {{accept, quarantine}, "accept, kept b", "tempfail"},
           {{quarantine, accept, tag, quarantine}, "tag, kept a d", "tempfail"},
           {{accept, reject}, "accept, kept b", "reject"},
           {{tag, reject, accept}, "tag, kept b", "reject"},
           {{reject, quarantine}, "quarantine", "tempfail"},
           {{reject, quarantine, accept}, "accept, kept a b", "tempfail"},
       }) {
    std::string names;
    for (const Disposition done : one.done) names += fmt::format("{} ", name_of(done));
    EXPECT_EQ(planned(one.done, true), one.keeping) << names;
    EXPECT_EQ(planned(one.done, false), one.without) << names;
  }
}

// Whatever the shares are: nobody gets what was to be kept from them.
TEST(Plan, NobodyGetsMoreThanTheirShare) {
  constexpr size_t kThree = kDispositions * kDispositions * kDispositions;
  for (size_t number = 0; number < kThree; ++number) {
    std::vector<Share> shares;
    static const std::vector<std::string> kNames{"a", "b", "c"};
    size_t rest = number;
    for (const std::string& name : kNames) {
      shares.push_back({.recipient = name, .done = static_cast<Disposition>(rest % kDispositions)});
      rest /= kDispositions;
    }
    for (const bool may_keep : {true, false}) {
      const Plan plan = plan_of(shares, may_keep);
      if (!may_keep) {
        EXPECT_FALSE(plan.keeps()) << number;
      }
      const bool passes = plan.whole <= Disposition::tag;
      size_t left = 0;
      for (const Share& one : shares) {
        const bool kept = std::ranges::find(plan.kept, one.recipient) != plan.kept.end();
        if (kept) {
          EXPECT_GE(one.done, Disposition::quarantine) << number;
        }
        if (!kept && passes) {
          EXPECT_LE(one.done, plan.whole) << number;
        }
        if (!kept) ++left;
      }
      EXPECT_GT(left, 0u) << "all are kept, and the rest goes on: " << number;
      if (!plan.kept.empty()) {
        EXPECT_TRUE(passes) << number;
      }
    }
  }
}

TEST(Plan, ARecipientThatIsNamedTwiceIsKeptOnce) {
  const std::vector<Share> shares{{.recipient = "a", .done = Disposition::quarantine},
                                  {.recipient = "b", .done = Disposition::accept},
                                  {.recipient = "a", .done = Disposition::quarantine}};
  EXPECT_EQ(plan_of(shares, true).kept, std::vector<std::string>{"a"});
}

}  // namespace
}  // namespace watchpost::border
