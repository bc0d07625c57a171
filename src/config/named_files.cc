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

// An error about a file -> about the setting that names it, where that stands. `table`:
// "[[feedback.key]]".
Error placed(Error error, const Configuration& in, const std::string& file, std::string_view table,
             const std::string& path) {
  const auto at = in.places.find(path);
  if (at == in.places.end()) return error;
  error.what =
      fmt::format("`{}` of {}: {}: {}", path.substr(path.rfind('.') + 1), table, file, error.what);
  error.about = at->second;
  return error;
}

Error placed_key(Error error, const Configuration& in, size_t i) {
  return placed(std::move(error), in, in.feedback.keys[i].secret_file, "[[feedback.key]]",
                fmt::format("feedback.key[{}].secret_file", i));
}

// "key[0].secret" of a secret that stands in a file.
Error placed_rule(Error error, const Configuration& in) {
  for (size_t i = 0; i < in.feedback.keys.size(); ++i) {
    if (in.feedback.keys[i].secret_file.empty()) continue;
    if (error.about == fmt::format("key[{}].secret", i)) return placed_key(error, in, i);
  }
  error.about = "feedback." + error.about;
  return error;
}

}  // namespace

Result<feedback::AttributionRules> attribution_rules(const Configuration& configuration) {
  feedback::FeedbackSettings settings = configuration.feedback;
  for (size_t i = 0; i < settings.keys.size(); ++i) {
    feedback::TokenKeySettings& key = settings.keys[i];
    auto secret = secret_of(key.secret, key.secret_file);
    if (!secret) return std::unexpected(placed_key(secret.error(), configuration, i));
    key.secret = std::move(*secret);
    key.secret_file.clear();
  }
  auto rules = feedback::AttributionRules::from(settings, configuration.store.keep);
  if (!rules) return std::unexpected(placed_rule(rules.error(), configuration));
  return rules;
}

Faults check_files(const Configuration& configuration) {
  Faults faults;
  const auto check = [&](const auto& read) {
    if (!read) faults.push_back(read.error());
  };
  const auto& tokens = configuration.listen.tokens;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const auto secret = secret_of(tokens[i].token, tokens[i].token_file);
    if (secret) continue;
    faults.push_back(placed(secret.error(), configuration, tokens[i].token_file, "[[listen.token]]",
                            fmt::format("listen.token[{}].token_file", i)));
  }
  if (const std::string& path = configuration.events.reply_classes; !path.empty()) {
    const auto text = file_text(path);
    if (!text) {
      faults.push_back(
          placed(text.error(), configuration, path, "[events]", "events.reply_classes"));
    }
    if (text) check(feedback::Classifier::from_toml(*text, path));
  }
  check(feedback::Countries::from(configuration.geo));
  check(attribution_rules(configuration));
  return faults;
}

}  // namespace watchpost::config
