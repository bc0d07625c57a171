#include "ingest/reporters.h"

#include "auth/results/test_world.h"

#include <gtest/gtest.h>

namespace watchpost::ingest {
namespace {

class FixedClock final : public Clock {
 public:
  explicit FixedClock(Time now) : now_(now) {}
  Time now() const override { return now_; }

 private:
  Time now_;
};

struct World : auth::TestWorld {
  FixedClock clock{now};
  int budgets = 0;

  dns::Budget budget() {
    ++budgets;
    return {};
  }
  std::optional<std::string> proven(const std::string& mail,
                                    const std::vector<std::string>& listed) {
    return Reporters(listed, *zone, [this] { return budget(); }, clock).check_now(mail);
  }
};

TEST(Reporters, BelieveAListedDomainsSignature) {
  World world;
  const std::string report = auth::TestWorld::message("From: fbl@shop.example\r\n");
  EXPECT_EQ(world.proven(world.signed_by("shop.example", report), {"SHOP.example."}),
            "shop.example");
  EXPECT_EQ(world.proven(report, {"shop.example"}), std::nullopt) << "not signed";
  EXPECT_EQ(world.proven(world.signed_by("attack.example", report), {"shop.example"}), std::nullopt)
      << "signed by another";
}

TEST(Reporters, OthersAreListedWhileItRuns) {
  World world;
  const std::string report =
      world.signed_by("shop.example", auth::TestWorld::message("From: fbl@shop.example\r\n"));
  Reporters reporters({}, *world.zone, [&] { return world.budget(); }, world.clock);
  reporters.use({"SHOP.example."});
  EXPECT_EQ(reporters.check_now(report), "shop.example");
  reporters.use({"other.example"});
  EXPECT_EQ(reporters.check_now(report), std::nullopt);
}

TEST(Reporters, NothingIsLookedUpForOthers) {
  World world;
  const std::string report =
      world.signed_by("attack.example", auth::TestWorld::message("From: fbl@attack.example\r\n"));
  EXPECT_EQ(world.proven(report, {}), std::nullopt);
  EXPECT_EQ(world.budgets, 0);
  EXPECT_EQ(world.proven(report, {"shop.example"}), std::nullopt);
  EXPECT_EQ(world.proven("no mail at all", {"shop.example"}), std::nullopt);
}

}  // namespace
}  // namespace watchpost::ingest
