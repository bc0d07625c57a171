#include "auth/mailbox.h"

#include "auth/domain_name.h"
#include "base/ascii.h"

#include <algorithm>

namespace watchpost::auth {
namespace {

constexpr size_t kLongestPath = 1000;  // bytes; RFC 5321 section 4.5.3.1.3 allows 256

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

// RFC 5322 atext, and UTF-8 by RFC 6531.
bool is_atom_char(char c) {
  return static_cast<unsigned char>(c) > 0x20 && c != 0x7F &&
         !std::string_view("()<>[]:;@\\,.\"").contains(c);
}

// RFC 5321 Dot-string, with the blanks that some have in it; gives its size, 0 where there is none.
size_t dot_string_size(std::string_view text) {
  size_t size = 0;
  bool dot = true;
  for (; size < text.size(); ++size) {
    if (text[size] == '.' && !dot) {
      dot = true;
    } else if (is_atom_char(text[size]) || text[size] == ' ') {
      dot = false;
    } else {
      break;
    }
  }
  return dot ? 0 : size;
}

// Takes the local part and the "@" off the front of `text`.
std::optional<std::string> take_local(std::string_view& text) {
  std::string local;
  size_t at = 0;
  if (text.starts_with('"')) {
    for (at = 1; at < text.size() && text[at] != '"'; ++at) {
      if (text[at] == '\\') ++at;
      if (at == text.size() || is_control(text[at])) return std::nullopt;
      local += text[at];
    }
    ++at;
  } else {
    at = dot_string_size(text);
    local = text.substr(0, at);
  }
  if (at >= text.size() || text[at] != '@') return std::nullopt;
  text.remove_prefix(at + 1);
  return local;
}

// "@one.example,@two.example:" before the address.
bool pass_route(std::string_view& text) {
  if (!text.starts_with('@')) return true;
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return true;
  std::string_view route = text.substr(0, colon);
  text.remove_prefix(colon + 1);
  while (true) {
    const size_t comma = route.find(',');
    const std::string_view hop = route.substr(0, comma);
    if (!hop.starts_with('@') || !mail_domain(hop.substr(1))) return false;
    if (comma == std::string_view::npos) return true;
    route.remove_prefix(comma + 1);
  }
}

bool is_literal(std::string_view domain) {
  return domain.size() > 2 && domain.starts_with('[') && domain.ends_with(']') &&
         std::ranges::all_of(domain.substr(1, domain.size() - 2),
                             [](char c) { return is_atom_char(c) || c == '.' || c == ':'; });
}

}  // namespace

std::optional<std::string> mail_domain(std::string_view name) {
  auto domain = ascii_domain(name);
  const auto is_name_char = [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '_' || c == '.';
  };
  if (!domain || !std::ranges::all_of(*domain, is_name_char)) return std::nullopt;
  return domain;
}

std::optional<ReversePath> parse_reverse_path(std::string_view text) {
  if (text.size() > kLongestPath) return std::nullopt;
  if (text.starts_with('<') != text.ends_with('>')) return std::nullopt;
  if (text.starts_with('<')) text = text.substr(1, text.size() - 2);
  if (text.empty()) return ReversePath{};
  if (!pass_route(text)) return std::nullopt;
  auto local = take_local(text);
  if (!local) return std::nullopt;
  if (is_literal(text)) return ReversePath{.local = std::move(*local), .domain = {}};
  auto domain = mail_domain(text);
  if (!domain) return std::nullopt;
  return ReversePath{.local = std::move(*local), .domain = std::move(*domain)};
}

}  // namespace watchpost::auth
