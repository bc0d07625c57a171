#include "enforce/enforcer.h"
#include "enforce/test_support.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include <gtest/gtest.h>

namespace watchpost::enforce {
namespace {

class Describing final : public SettingsVisitor {
 public:
  void setting(const SettingInfo& info, SettingRef) override {
    EXPECT_FALSE(info.help.empty()) << info.name;
    EXPECT_TRUE(names.emplace(info.name).second) << info.name;
  }
  void section(std::string_view, std::string_view, const std::function<void()>& inside) override {
    inside();
  }
  void list(std::string_view, std::string_view, const std::function<void()>& add) override {
    add();
  }
  std::set<std::string> names;
};

TEST(EnforcerKinds, EachDescribesItselfAndIsFoundByName) {
  for (const EnforcerKind* kind : enforcer_kinds()) {
    EXPECT_EQ(enforcer_kind(kind->name), kind);
    EXPECT_FALSE(kind->summary.empty());
    Describing visit;
    kind->settings()->describe(visit);
    EXPECT_FALSE(visit.names.empty());
  }
  EXPECT_EQ(enforcer_kind("none such"), nullptr);
}

// What is said before there is an enforcer is about decisions that can be carried out at all.
TEST(EnforcerKinds, SayWhatTheyCouldCarryOut) {
  const Decision login = make_decision(1, "credential=alice", "suspend 1h");
  const Decision campaign = make_decision(2, "customer=acme campaign=x", "hold 1h");
  std::set<std::string_view> of_logins;
  std::set<std::string_view> of_campaigns;
  for (const EnforcerKind* kind : enforcer_kinds()) {
    if (kind->can == nullptr) continue;
    const auto settings = kind->settings();
    if (kind->can(*settings, login)) of_logins.insert(kind->name);
    if (kind->can(*settings, campaign)) of_campaigns.insert(kind->name);
    Decision nobody = login;
    nobody.scope = {};
    EXPECT_FALSE(kind->can(*settings, nobody)) << kind->name;
  }
  EXPECT_EQ(of_logins, (std::set<std::string_view>{"postfix_policy", "webhook"}));
  EXPECT_EQ(of_campaigns, (std::set<std::string_view>{"webhook"}));
}

// The name in the configuration is the name of the file.
TEST(EnforcerKinds, EachHasItsFile) {
  const std::filesystem::path root = WATCHPOST_SOURCE_DIR;
  for (const EnforcerKind* kind : enforcer_kinds()) {
    EXPECT_TRUE(
        std::filesystem::exists(root / "src/enforce/enforcers" / (std::string(kind->name) + ".cc")))
        << kind->name;
  }
}

}  // namespace
}  // namespace watchpost::enforce
