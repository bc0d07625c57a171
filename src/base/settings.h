#pragma once
#include "base/time.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace watchpost {

// Described settings: a component has a plain struct with defaults and one function
//   void fields(SettingsVisitor& visit, XSettings& settings);
// which names each setting once. The same function serves reading the configuration, checking it,
// `watchpost config show` and the reference page.

// A value's place in the component's struct. A `double` is a share or a ratio ("0.3%" or 0.003).
using SettingRef =
    std::variant<std::string*, std::vector<std::string>*, int64_t*, double*, bool*, Duration*>;

struct SettingInfo {
  std::string_view name;                       // as in the TOML file
  std::string_view help;                       // one sentence
  std::optional<double> least = std::nullopt;  // bounds of numbers; of durations in seconds
  std::optional<double> most = std::nullopt;
  std::vector<std::string_view> choices = {};  // for text: the only values allowed, where not empty
  bool required = false;                       // text and lists: must not stay empty
  bool secret = false;                         // never shown
};

class SettingsVisitor {
 public:
  virtual ~SettingsVisitor() = default;
  virtual void setting(const SettingInfo& info, SettingRef value) = 0;
  // A table within this one ([detect.limits]). `inside` names its settings to this same visitor.
  virtual void section(std::string_view name, std::string_view help,
                       const std::function<void()>& inside) = 0;
  // A list of tables within this one ([[source.map]]). For each one there, calls `add`, which
  // appends a default one and names its settings; a visitor that only describes calls it once.
  virtual void list(std::string_view name, std::string_view help,
                    const std::function<void()>& add) = 0;
};

}  // namespace watchpost
