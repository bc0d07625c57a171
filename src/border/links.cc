#include "border/links.h"

#include "auth/mailbox.h"
#include "base/ascii.h"
#include "base/ip_address.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace watchpost::border {
namespace {

constexpr size_t kLongestTagName = 12;
constexpr size_t kLongestUrl = 2'048;  // looked at; the host stands at its begin

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f'; }
bool is_letter(char c) {
  const char low = to_lower(c);
  return low >= 'a' && low <= 'z';
}
bool is_word(char c) { return is_letter(c) || is_digit(c); }
bool beyond_ascii(char c) { return static_cast<unsigned char>(c) >= 0x80; }

// Behind these no host of a plain text goes on.
bool ends_authority(char c) {
  constexpr std::string_view kEnds = "/\\?#<>()[]{}\"'`,;|^*!";
  return static_cast<unsigned char>(c) <= ' ' || c == 0x7F || kEnds.contains(c);
}

std::optional<char> percent_byte(std::string_view text) {
  unsigned value = 0;
  if (text.size() < 3 ||
      std::from_chars(text.data() + 1, text.data() + 3, value, 16).ptr != text.data() + 3) {
    return std::nullopt;
  }
  return static_cast<char>(value);
}

// "%65xample.com": programs that open links decode it.
std::string without_percents(std::string_view host) {
  std::string made;
  for (size_t at = 0; at < host.size(); ++at) {
    const auto byte = host[at] == '%' ? percent_byte(host.substr(at)) : std::nullopt;
    made += byte.value_or(host[at]);
    if (byte) at += 2;
  }
  return made;
}

std::optional<std::string> domain_in(std::string_view host) {
  while (host.ends_with('.')) host.remove_suffix(1);
  auto domain = auth::mail_domain(host);
  if (domain && domain->find('.') != std::string::npos) return domain;
  return std::nullopt;
}

std::optional<std::string> host_of(std::string_view authority) {
  authority.remove_prefix(authority.rfind('@') + 1);  // a user, or what looks like a host
  if (authority.starts_with('[')) {
    const size_t end = authority.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    const auto address = parse_ip_address(authority.substr(1, end - 1));
    if (!address) return std::nullopt;
    return address->text();
  }
  const std::string host = without_percents(authority.substr(0, authority.find(':')));
  if (auto domain = domain_in(host)) return domain;
  // A quotation mark of the text around it, beyond ASCII, is no part of it.
  const auto odd = std::ranges::find_if(host, beyond_ascii);
  if (odd == host.end()) return std::nullopt;
  return domain_in(std::string_view(host.begin(), odd));
}

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

// Tabs and line ends within a URL are dropped by those who open it.
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

// Reads the tag that begins at html[at] with its "<"; moves behind it.
class Tag {
 public:
  Tag(std::string_view html, size_t& at) : html_(html), at_(at) {
    ++at_;
    end_ = at_ < html_.size() && html_[at_] == '/';
    if (end_) ++at_;
    name_ = word(kLongestTagName);
  }
  const std::string& name() const { return name_; }
  bool end() const { return end_; }

  // The next attribute, its name in lower case; nothing at the end of the tag.
  std::optional<std::pair<std::string, std::string_view>> attribute() {
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

 private:
  void skip_blanks() {
    while (at_ < html_.size() && is_blank(html_[at_])) ++at_;
  }

  std::string word(size_t most) {
    std::string made;
    while (at_ < html_.size() && !is_blank(html_[at_]) && html_[at_] != '=' && html_[at_] != '/' &&
           html_[at_] != '>') {
      if (made.size() < most) made += to_lower(html_[at_]);
      ++at_;
    }
    return made;
  }

  std::string_view value() {
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

  std::string_view html_;
  size_t& at_;
  bool end_ = false;
  std::string name_;
};

bool leads_somewhere(std::string_view tag, std::string_view attribute) {
  using Pair = std::pair<std::string_view, std::string_view>;
  constexpr std::array<Pair, 7> kLinks{{{"a", "href"},
                                        {"a", "xlink:href"},
                                        {"area", "href"},
                                        {"base", "href"},
                                        {"form", "action"},
                                        {"button", "formaction"},
                                        {"input", "formaction"}}};
  return std::ranges::find(kLinks, Pair(tag, attribute)) != kLinks.end();
}

// Behind what begins at html[at] with "<!--", "<!" or "<?" and is no tag.
size_t behind_comment(std::string_view html, size_t at) {
  const bool comment = html.substr(at).starts_with("<!--");
  const std::string_view end = comment ? "-->" : ">";
  // "<!-->" is a whole one.
  const size_t found = html.find(end, at + 2);
  return found == std::string_view::npos ? html.size() : found + end.size();
}

// The end tag of an element whose content is no text.
size_t at_end_tag(std::string_view html, size_t at, std::string_view name) {
  for (size_t i = html.find("</", at); i != std::string_view::npos; i = html.find("</", i + 2)) {
    if (starts_with_nocase(html.substr(i + 2), name)) return i;
  }
  return html.size();
}

}  // namespace

void LinkHosts::add(std::string host) {
  if (hosts_.size() == kMost || std::ranges::find(hosts_, host) != hosts_.end()) return;
  hosts_.push_back(std::move(host));
}

void LinkHosts::take_authority(std::string_view authority) {
  if (full() || authority == last_) return;
  ++links_;
  last_ = authority;
  if (auto host = host_of(authority)) add(std::move(*host));
}

void LinkHosts::take_url(std::string_view value) {
  const std::string url = url_of_attribute(value);
  std::string_view rest = url;
  const auto is_slash = [](char c) { return c == '/' || c == '\\'; };
  if (starts_with_nocase(rest, "https:")) {
    rest.remove_prefix(6);
  } else if (starts_with_nocase(rest, "http:")) {
    rest.remove_prefix(5);
  } else if (rest.size() < 2 || !is_slash(rest[0]) || !is_slash(rest[1])) {
    return;  // another scheme, or a link within the page
  }
  // However many slashes there are, programs go there.
  while (!rest.empty() && is_slash(rest.front())) rest.remove_prefix(1);
  take_authority(rest.substr(0, rest.find_first_of("/\\?#")));
}

void LinkHosts::read_text(std::string_view text) {
  for (size_t at = find_any<':', 'w', 'W'>(text); at < text.size() && !full();
       at = find_any<':', 'w', 'W'>(text, at + 1)) {
    const std::string_view behind = text.substr(at);
    const std::string_view before = text.substr(0, at);
    size_t begin = 0;
    if (behind.starts_with("://")) {
      const std::string_view scheme = before.substr(before.size() - std::min<size_t>(5, at));
      if (!equal_nocase(scheme, "https") &&
          (scheme.size() < 4 || !equal_nocase(scheme.substr(scheme.size() - 4), "http"))) {
        continue;
      }
      begin = at + 3;
    } else if (starts_with_nocase(behind, "www.") &&
               (at == 0 ||
                (!is_word(text[at - 1]) && !std::string_view("./@-").contains(text[at - 1])))) {
      begin = at;
    } else {
      continue;
    }
    size_t end = begin;
    if (end < text.size() && text[end] == '[') end = std::min(text.find(']', end), text.size());
    while (end < text.size() && (text[end] == ']' || !ends_authority(text[end]))) ++end;
    take_authority(text.substr(begin, end - begin));
    at = std::max(at, end - 1);
  }
}

void LinkHosts::read_html(std::string_view html) {
  bool in_link = false;  // what it says is no other link
  for (size_t at = 0; at < html.size() && !full();) {
    const size_t tag_at = std::min(html.find('<', at), html.size());
    if (!in_link) read_text(html.substr(at, tag_at - at));
    at = tag_at;
    if (at + 1 >= html.size()) return;
    if (html[at + 1] == '!' || html[at + 1] == '?') {
      at = behind_comment(html, at);
      continue;
    }
    if (html[at + 1] != '/' && !is_letter(html[at + 1])) {  // a bracket of the text
      ++at;
      continue;
    }
    Tag tag(html, at);
    while (const auto attribute = tag.attribute()) {
      if (!tag.end() && leads_somewhere(tag.name(), attribute->first)) {
        take_url(attribute->second);
      }
    }
    if (tag.name() == "a") in_link = !tag.end();
    if (!tag.end() && (tag.name() == "script" || tag.name() == "style")) {
      at = at_end_tag(html, at, tag.name());
    }
  }
}

}  // namespace watchpost::border
