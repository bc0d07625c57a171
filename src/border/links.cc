#include "border/links.h"

#include "auth/mailbox.h"
#include "base/ascii.h"
#include "base/ip_address.h"
#include "mime/html.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace watchpost::border {
namespace {

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
  const std::string url = mime::url_of_attribute(value);
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
      at = mime::behind_comment(html, at);
      continue;
    }
    if (!mime::is_tag(html, at)) {
      ++at;
      continue;
    }
    mime::HtmlTag tag(html, at);
    while (const auto attribute = tag.attribute()) {
      if (!tag.end() && leads_somewhere(tag.name(), attribute->first)) {
        take_url(attribute->second);
      }
    }
    if (tag.name() == "a") in_link = !tag.end();
    if (!tag.end() && (tag.name() == "script" || tag.name() == "style")) {
      at = mime::at_end_tag(html, at, tag.name());
    }
  }
}

}  // namespace watchpost::border
