#include "api/request_body.h"

#include "base/text.h"

#include <algorithm>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

namespace watchpost::api {
namespace {

constexpr size_t kMostBody = 64 * 1024;
constexpr size_t kMostText = 4000;
constexpr size_t kMostTexts = 1000;

Result<std::vector<std::string>> texts_of(const boost::json::array& list, const std::string& key) {
  std::vector<std::string> texts;
  if (list.size() > kMostTexts) return fail(Code::bad_input, "this list is too long", key);
  for (const boost::json::value& item : list) {
    const auto* text = item.if_string();
    if (!text) return fail(Code::bad_input, "this must be a list of texts", key);
    if (text->size() > kMostText) return fail(Code::bad_input, "this text is too long", key);
    texts.emplace_back(*text);
  }
  return texts;
}

}  // namespace

Result<RequestBody> RequestBody::parse(std::string_view body,
                                       std::span<const std::string_view> keys) {
  RequestBody parsed;
  if (trim(body).empty()) return parsed;
  if (body.size() > kMostBody) return fail(Code::bad_input, "the body is too long");
  boost::system::error_code error;
  boost::json::parse_options strict;
  strict.max_depth = 2;
  const boost::json::value value = boost::json::parse(body, error, {}, strict);
  if (error) return fail(Code::bad_input, "the body is not JSON: " + error.message());
  if (!value.is_object()) return fail(Code::bad_input, "the body is not a JSON object");
  for (const auto& [name, member] : value.get_object()) {
    const std::string key(name);
    if (std::ranges::find(keys, std::string_view(key)) == keys.end()) {
      return fail(Code::bad_input,
                  fmt::format("`{}` is not a key here{}", escaped(key, 64), suggestion(key, keys)),
                  escaped(key, 64));
    }
    if (const auto* text = member.if_string()) {
      if (text->size() > kMostText) return fail(Code::bad_input, "this text is too long", key);
      parsed.members_[key] = std::string(*text);
    } else if (const bool* flag = member.if_bool()) {
      parsed.members_[key] = *flag;
    } else if (const auto* list = member.if_array()) {
      auto texts = texts_of(*list, key);
      if (!texts) return fail(texts.error());
      parsed.members_[key] = std::move(*texts);
    } else {
      return fail(Code::bad_input, "this must be a text or true or false", key);
    }
  }
  return parsed;
}

Result<std::string> RequestBody::text(std::string_view key) const {
  const auto found = members_.find(key);
  if (found == members_.end()) return std::string();
  const auto* text = std::get_if<std::string>(&found->second);
  if (!text) return fail(Code::bad_input, "this must be a text", std::string(key));
  return *text;
}

Result<std::string> RequestBody::required_text(std::string_view key) const {
  auto found = text(key);
  if (found && trim(*found).empty()) {
    return fail(Code::bad_input, fmt::format("`{}` is missing", key), std::string(key));
  }
  return found;
}

Result<bool> RequestBody::required_flag(std::string_view key) const {
  const auto found = members_.find(key);
  const bool* flag = found == members_.end() ? nullptr : std::get_if<bool>(&found->second);
  if (!flag) {
    return fail(Code::bad_input, fmt::format("`{}` must be true or false", key), std::string(key));
  }
  return *flag;
}

Result<bool> RequestBody::flag(std::string_view key) const {
  return members_.contains(key) ? required_flag(key) : Result<bool>(false);
}

Result<std::vector<std::string>> RequestBody::texts(std::string_view key) const {
  const auto found = members_.find(key);
  if (found == members_.end()) return std::vector<std::string>();
  const auto* texts = std::get_if<std::vector<std::string>>(&found->second);
  if (!texts) return fail(Code::bad_input, "this must be a list of texts", std::string(key));
  return *texts;
}

}  // namespace watchpost::api
