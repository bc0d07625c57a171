#pragma once
// Settings of sources, for tests.
#include "base/settings.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <gtest/gtest.h>

namespace watchpost::ingest::test {

// Gives settings their values by name.
class Filler final : public SettingsVisitor {
 public:
  explicit Filler(std::map<std::string, std::string, std::less<>> values)
      : values_(std::move(values)) {}
  void setting(const SettingInfo& info, SettingRef value) override {
    EXPECT_FALSE(info.help.empty()) << info.name;
    const auto found = values_.find(info.name);
    if (found == values_.end()) return;
    if (auto* const text = std::get_if<std::string*>(&value)) **text = found->second;
    if (auto* const number = std::get_if<int64_t*>(&value)) **number = std::stoll(found->second);
  }
  void section(std::string_view, std::string_view, const std::function<void()>& inside) override {
    inside();
  }
  void list(std::string_view, std::string_view, const std::function<void()>& add) override {
    add();
  }

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

}  // namespace watchpost::ingest::test
