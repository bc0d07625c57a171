#include "mime/html.h"

#include "base/ascii.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace watchpost::mime {
namespace {

constexpr size_t kLongestTagName = 12;
constexpr size_t kLongestUrl = 2'048;  // looked at; the host stands at its begin

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f'; }

// One character reference at html[at]: "&amp;", "&#x2F;"; moves behind it. Those that are not of a
// URL's own letters stay as they are.
void put_character(std::string_view html, size_t& at, std::string& out) {
  constexpr std::array<std::pair<std::string_view, char>, 6> kNamed{{{"amp", '&'},
                                                                     {"colon", ':'},
                                                                     {"sol", '/'},
                                                                     {"period", '.'},
                                                                     {"commat", '@'},
                                                                     {"quest", '?'}}};
  constexpr size_t kLongest = 12;
  const size_t end = html[at] == '&' ? html.substr(at, kLongest).find(';') : std::string_view::npos;
  if (end == std::string_view::npos) {
    out += html[at++];
    return;
  }
  std::string_view name = html.substr(at + 1, end - 1);
  std::optional<char> letter;
  if (name.starts_with('#')) {
    name.remove_prefix(1);
    const bool hex = name.starts_with('x') || name.starts_with('X');
    if (hex) name.remove_prefix(1);
    unsigned code = 0;
    const char* const last = name.data() + name.size();
    const bool whole = std::from_chars(name.data(), last, code, hex ? 16 : 10).ptr == last;
    if (whole && code > 0 && code < 0x80) letter = static_cast<char>(code);
  } else {
    const auto* const known = std::ranges::find(kNamed, name, &decltype(kNamed)::value_type::first);
    if (known != kNamed.end()) letter = known->second;
  }
  out += letter.value_or('&');
  at += letter ? end + 1 : 1;
}

}  // namespace

std::string url_of_attribute(std::string_view value) {
  value = value.substr(0, kLongestUrl);
  std::string url;
  for (size_t at = 0; at < value.size();) put_character(value, at, url);
  std::erase_if(url, [](char c) { return c == '\t' || c == '\r' || c == '\n'; });
  const auto begin =
      std::ranges::find_if(url, [](char c) { return static_cast<unsigned char>(c) > ' '; });
  url.erase(url.begin(), begin);
  return url;
}

HtmlTag::HtmlTag(std::string_view html, size_t& at) : html_(html), at_(at) {
  ++at_;
  end_ = at_ < html_.size() && html_[at_] == '/';
  if (end_) ++at_;
  name_ = word(kLongestTagName);
}

std::optional<std::pair<std::string, std::string_view>> HtmlTag::attribute() {
  while (at_ < html_.size() && (is_blank(html_[at_]) || html_[at_] == '/')) ++at_;
  if (at_ >= html_.size() || html_[at_] == '>') {
    at_ = std::min(at_ + 1, html_.size());
    return std::nullopt;
  }
  const size_t begin = at_;
  std::string name = word(kLongestTagName);
  skip_blanks();
  if (at_ < html_.size() && html_[at_] == '=') {
    ++at_;
    return std::pair(std::move(name), value());
  }
  if (at_ == begin) ++at_;
  return std::pair(std::move(name), std::string_view());
}

void HtmlTag::skip_blanks() {
  while (at_ < html_.size() && is_blank(html_[at_])) ++at_;
}

std::string HtmlTag::word(size_t most) {
  std::string made;
  while (at_ < html_.size() && !is_blank(html_[at_]) && html_[at_] != '=' && html_[at_] != '/' &&
         html_[at_] != '>') {
    if (made.size() < most) made += to_lower(html_[at_]);
    ++at_;
  }
  return made;
}

std::string_view HtmlTag::value() {
  skip_blanks();
  if (at_ >= html_.size()) return {};
  const char quote = html_[at_];
  const bool quoted = quote == '"' || quote == '\'';
  if (quoted) ++at_;
  const size_t begin = at_;
  const auto stops = [&](char c) { return quoted ? c == quote : is_blank(c) || c == '>'; };
  while (at_ < html_.size() && !stops(html_[at_])) ++at_;
  const std::string_view value = html_.substr(begin, at_ - begin);
  if (quoted && at_ < html_.size()) ++at_;
  return value;
}

bool is_tag(std::string_view html, size_t at) {
  if (at + 1 >= html.size()) return false;
  const char next = to_lower(html[at + 1]);
  return next == '/' || (next >= 'a' && next <= 'z');
}

size_t behind_comment(std::string_view html, size_t at) {
  const bool comment = html.substr(at).starts_with("<!--");
  const std::string_view end = comment ? "-->" : ">";
  // "<!-->" is a whole one.
  const size_t found = html.find(end, at + 2);
  return found == std::string_view::npos ? html.size() : found + end.size();
}

size_t at_end_tag(std::string_view html, size_t at, std::string_view name) {
  for (size_t i = html.find("</", at); i != std::string_view::npos; i = html.find("</", i + 2)) {
    if (starts_with_nocase(html.substr(i + 2), name)) return i;
  }
  return html.size();
}

}  // namespace watchpost::mime
