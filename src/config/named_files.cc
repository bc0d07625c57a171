// What the files hold that a configuration names.
#include "base/text.h"
#include "config/configuration.h"
#include "feedback/classifier.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

namespace watchpost::config {
namespace {

constexpr size_t kLargestFile = 4 * 1024 * 1024;

}  // namespace

Result<std::string> file_text(const std::string& path) {
  std::error_code no_size;
  const auto size = std::filesystem::file_size(path, no_size);
  if (!no_size && size > kLargestFile) return fail(Code::bad_input, "the file is too large", path);
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  // Unlike an iterator over the buffer it does not throw: a folder can be opened, but not read.
  text << in.rdbuf();
  if (!in.is_open() || in.bad() || errno == EISDIR) {
    return fail(Code::not_found, fmt::format("cannot be read: {}", std::strerror(errno)), path);
  }
  return std::move(text).str();
}

Result<std::string> secret_of(const std::string& secret, const std::string& file) {
  if (file.empty()) return secret;
  const auto text = file_text(file);
  if (!text) return fail(text.error());
  std::string first(trim(std::string_view(*text).substr(0, text->find('\n'))));
  if (first.empty())
    return fail(Code::bad_input, "the first line of the secret's file is empty", file);
  return first;
}

namespace {

// "key[0].secret" of a secret that stands in a file -> the file, and the setting that names it.
Error placed(Error error, const std::vector<feedback::TokenKeySettings>& keys) {
  for (size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].secret_file.empty() || error.about != fmt::format("key[{}].secret", i)) continue;
    error.about = fmt::format("{} (feedback.key[{}].secret_file)", keys[i].secret_file, i);
    return error;
  }
  error.about = "feedback." + error.about;
  return error;
}

}  // namespace

Result<feedback::AttributionRules> attribution_rules(const Configuration& configuration) {
  feedback::FeedbackSettings settings = configuration.feedback;
  for (feedback::TokenKeySettings& key : settings.keys) {
    auto secret = secret_of(key.secret, key.secret_file);
    if (!secret) return fail(secret.error());
    key.secret = std::move(*secret);
    key.secret_file.clear();
  }
  auto rules = feedback::AttributionRules::from(settings, configuration.store.keep);
  if (!rules) return std::unexpected(placed(rules.error(), configuration.feedback.keys));
  return rules;
}

Faults check_files(const Configuration& configuration) {
  Faults faults;
  const auto check = [&](const auto& read) {
    if (!read) faults.push_back(read.error());
  };
  for (const TokenSettings& one : configuration.listen.tokens) {
    check(secret_of(one.token, one.token_file));
  }
  if (const std::string& path = configuration.events.reply_classes; !path.empty()) {
    const auto text = file_text(path);
    check(text);
    if (text) check(feedback::Classifier::from_toml(*text, path));
  }
  check(feedback::Countries::from(configuration.geo));
  check(attribution_rules(configuration));
  return faults;
}

}  // namespace watchpost::config
