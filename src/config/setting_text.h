#pragma once
#include "base/settings.h"

#include <string>
#include <string_view>

namespace watchpost::config {

// A setting's value as TOML: "10m" (with quotes), 20, true, ["a", "b"], "2%".
std::string toml_text(const SettingRef& value);
// A text as a TOML basic string with its quotes.
std::string toml_quoted(std::string_view text);
// "0.3%" or "0.003" -> 0.003; nothing where it is neither.
std::optional<double> share_from(std::string_view text);

}  // namespace watchpost::config
