#include "cli/configured_rules.h"

#include "feedback/countries.h"

#include <filesystem>
#include <utility>

namespace watchpost::cli {
namespace {

// Of a program that was just installed.
bool has_no_configuration(const Session& session) {
  std::error_code none;
  return session.config == kUsualConfiguration && !std::filesystem::exists(session.config, none);
}

}  // namespace

std::expected<ConfiguredRules, config::Faults> ConfiguredRules::of(const Session& session) {
  ConfiguredRules rules;
  if (has_no_configuration(session)) return rules;
  const auto failed = [](Error error) { return std::unexpected(config::Faults{std::move(error)}); };
  auto configuration = config::load(session.config);
  if (!configuration) return std::unexpected(std::move(configuration.error()));
  if (const std::string& path = configuration->events.reply_classes; !path.empty()) {
    auto text = config::file_text(path);
    if (!text) return failed(text.error());
    auto read = feedback::Classifier::from_toml(*text, path);
    if (!read) return failed(std::move(read.error()));
    rules.own_.emplace(std::move(*read));
    rules.text_ = std::move(*text);
  }
  auto countries = feedback::Countries::from(configuration->geo);
  if (!countries) return failed(std::move(countries.error()));
  auto mapping = feedback::Mapping::from(configuration->maps, std::move(*countries));
  if (!mapping) return failed(std::move(mapping.error()));
  rules.mapping_ = std::move(*mapping);
  return rules;
}

}  // namespace watchpost::cli
