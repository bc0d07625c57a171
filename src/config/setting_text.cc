#include "config/setting_text.h"

#include "base/text.h"

#include <charconv>
#include <iterator>

#include <fmt/format.h>

namespace watchpost::config {
namespace {

std::string text_of(const std::string* value) { return toml_quoted(*value); }
std::string text_of(const int64_t* value) { return std::to_string(*value); }
std::string text_of(const double* value) { return fmt::format("{}", *value); }
std::string text_of(const bool* value) { return *value ? "true" : "false"; }
std::string text_of(const Duration* value) { return toml_quoted(format_duration(*value)); }
std::string text_of(const std::vector<std::string>* value) {
  std::string out = "[";
  for (const std::string& one : *value) {
    if (out.size() > 1) out += ", ";
    out += toml_quoted(one);
  }
  return out + "]";
}

}  // namespace

std::string toml_text(const SettingRef& value) {
  return std::visit([](const auto* one) { return text_of(one); }, value);
}

std::string toml_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      fmt::format_to(std::back_inserter(out), "\\u{:04X}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::optional<double> share_from(std::string_view text) {
  text = trim(text);
  const bool percent = text.ends_with('%');
  if (percent) text = trim(text.substr(0, text.size() - 1));
  double value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || read.ec != std::errc{} || read.ptr != text.data() + text.size()) {
    return std::nullopt;
  }
  return percent ? value / 100 : value;
}

}  // namespace watchpost::config
