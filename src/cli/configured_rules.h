#pragma once
#include "cli/command.h"
#include "config/configuration.h"
#include "feedback/classifier.h"
#include "feedback/mapping.h"

#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace watchpost::cli {

// What commands that look at files and ask no daemon judge by: the rules of the configuration, or
// those that ship where nobody named a configuration and the usual place has none.
class ConfiguredRules {
 public:
  static std::expected<ConfiguredRules, config::Faults> of(const Session& session);

  const feedback::Classifier& classifier() const {
    return own_ ? *own_ : feedback::Classifier::shipped();
  }
  // The rule file that it was made of.
  std::string_view text() const {
    return own_ ? std::string_view(text_) : feedback::Classifier::shipped_rules();
  }
  const feedback::Mapping& mapping() const { return mapping_; }

 private:
  std::optional<feedback::Classifier> own_;
  std::string text_;
  feedback::Mapping mapping_;
};

}  // namespace watchpost::cli
