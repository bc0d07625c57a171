#include "auth/spf/record.h"

#include "base/ascii.h"
#include "base/text.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace watchpost::auth {
namespace {

constexpr std::string_view kVersion = "v=spf1";
constexpr size_t kLongestShown = 80;  // bytes of a term in an error message

struct Name {
  std::string_view text;
  SpfMechanism mechanism;
};
constexpr std::array<Name, 8> kNames{{
    {"all", SpfMechanism::all},
    {"include", SpfMechanism::include},
    {"a", SpfMechanism::a},
    {"mx", SpfMechanism::mx},
    {"ptr", SpfMechanism::ptr},
    {"ip4", SpfMechanism::ip4},
    {"ip6", SpfMechanism::ip6},
    {"exists", SpfMechanism::exists},
}};

using Wrong = std::unexpected<std::string>;

bool is_letter(char c) { return to_lower(c) >= 'a' && to_lower(c) <= 'z'; }

// name "=": the length of the name where the term is a modifier, else 0.
size_t modifier_name(std::string_view term) {
  if (term.empty() || !is_letter(term.front())) return 0;
  size_t at = 1;
  while (at < term.size() && (is_letter(term[at]) || is_digit(term[at]) || term[at] == '-' ||
                              term[at] == '_' || term[at] == '.')) {
    ++at;
  }
  return at < term.size() && term[at] == '=' ? at : 0;
}

std::optional<SpfResult> qualifier_of(char c) {
  switch (c) {
    case '+': return SpfResult::pass;
    case '-': return SpfResult::fail;
    case '~': return SpfResult::softfail;
    case '?': return SpfResult::neutral;
    default: return std::nullopt;
  }
}

// Decimal digits without leading zeros, of at most `most`; nothing otherwise.
std::optional<int> prefix_length(std::string_view digits, int most) {
  if (digits.empty() || digits.size() > 3 || !std::ranges::all_of(digits, is_digit)) {
    return std::nullopt;
  }
  if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
  int value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  return value <= most ? std::optional(value) : std::nullopt;
}

// Cuts `marker` and the digits behind it off the end of `rest`; false where they are no length.
bool take_prefix(std::string_view& rest, std::string_view marker, int most, int& prefix) {
  size_t digits = rest.size();
  while (digits > 0 && is_digit(rest[digits - 1])) --digits;
  if (digits == rest.size() || !rest.substr(0, digits).ends_with(marker)) return true;
  const auto length = prefix_length(rest.substr(digits), most);
  if (!length) return false;
  prefix = *length;
  rest.remove_suffix(rest.size() - digits + marker.size());
  return true;
}

// What stands behind a mechanism's name: "", ":domain".
std::expected<void, std::string> read_domain(SpfTerm& term, std::string_view rest, bool needed) {
  if (rest.empty()) {
    if (needed) return Wrong("it needs a domain");
    return {};
  }
  if (rest.front() != ':') return Wrong("nothing but a domain may follow its name");
  auto domain = parse_spf_domain(rest.substr(1));
  if (!domain) return Wrong(domain.error());
  term.domain = std::move(*domain);
  return {};
}

std::expected<void, std::string> read_hosts(SpfTerm& term, std::string_view rest) {
  if (!take_prefix(rest, "//", 128, term.prefix6) || !take_prefix(rest, "/", 32, term.prefix4)) {
    return Wrong("its prefix length is none");
  }
  return read_domain(term, rest, false);
}

std::expected<void, std::string> read_network(SpfTerm& term, std::string_view rest, bool v6) {
  if (!rest.starts_with(':')) return Wrong("it needs an address");
  rest.remove_prefix(1);
  if (!take_prefix(rest, "/", v6 ? 128 : 32, v6 ? term.prefix6 : term.prefix4)) {
    return Wrong("its prefix length is none");
  }
  const auto address = parse_ip_address(rest);
  if (!address || address->v6 != v6) return Wrong("its address is none");
  term.network = *address;
  return {};
}

std::expected<void, std::string> read_rest(SpfTerm& term, std::string_view rest) {
  switch (term.mechanism) {
    case SpfMechanism::all:
      if (!rest.empty()) return Wrong("nothing may follow it");
      return {};
    case SpfMechanism::include:
    case SpfMechanism::exists: return read_domain(term, rest, true);
    case SpfMechanism::ptr: return read_domain(term, rest, false);
    case SpfMechanism::a:
    case SpfMechanism::mx: return read_hosts(term, rest);
    case SpfMechanism::ip4: return read_network(term, rest, false);
    case SpfMechanism::ip6: return read_network(term, rest, true);
  }
  return {};
}

std::expected<SpfTerm, std::string> read_directive(std::string_view text) {
  SpfTerm term;
  term.text = std::string(text);
  if (const auto qualifier = qualifier_of(text.front())) {
    term.qualifier = *qualifier;
    text.remove_prefix(1);
  }
  const std::string_view name = text.substr(0, text.find_first_of(":/"));
  const auto* const known =
      std::ranges::find_if(kNames, [&](const Name& one) { return equal_nocase(one.text, name); });
  if (known == kNames.end()) return Wrong("there is no such mechanism");
  term.mechanism = known->mechanism;
  if (auto read = read_rest(term, text.substr(name.size())); !read) return Wrong(read.error());
  return term;
}

std::expected<void, std::string> read_modifier(SpfRecord& record, std::string_view term,
                                               size_t name_size) {
  const std::string_view name = term.substr(0, name_size);
  const std::string_view value = term.substr(name_size + 1);
  const bool redirect = equal_nocase(name, "redirect");
  if (!redirect && !equal_nocase(name, "exp")) {
    const auto read = parse_spf_macro_string(value, SpfMacroUse::domain);
    if (!read) return Wrong(read.error());
    return {};
  }
  auto& place = redirect ? record.redirect : record.explanation;
  if (place) return Wrong("it stands there twice");
  auto domain = parse_spf_domain(value);
  if (!domain) return Wrong(domain.error());
  place = std::move(*domain);
  return {};
}

std::expected<void, std::string> read_term(SpfRecord& record, std::string_view term) {
  if (const size_t name_size = modifier_name(term)) return read_modifier(record, term, name_size);
  auto directive = read_directive(term);
  if (!directive) return Wrong(directive.error());
  record.has_all = record.has_all || directive->mechanism == SpfMechanism::all;
  record.terms.push_back(std::move(*directive));
  return {};
}

}  // namespace

std::string_view name_of(SpfMechanism mechanism) {
  for (const Name& one : kNames) {
    if (one.mechanism == mechanism) return one.text;
  }
  return "";
}

bool is_spf_record(std::string_view text) {
  return starts_with_nocase(text, kVersion) &&
         (text.size() == kVersion.size() || text[kVersion.size()] == ' ');
}

std::expected<SpfRecord, std::string> parse_spf_record(std::string_view text) {
  if (!is_spf_record(text)) return Wrong("it does not begin with v=spf1");
  if (text.size() > kLongestSpfRecord) return Wrong("the record is too long");
  SpfRecord record;
  record.text = std::string(text);
  for (size_t at = kVersion.size(); at < text.size();) {
    const size_t begin = text.find_first_not_of(' ', at);
    if (begin == std::string_view::npos) break;
    at = std::min(text.find(' ', begin), text.size());
    const std::string_view term = text.substr(begin, at - begin);
    if (auto read = read_term(record, term); !read) {
      return Wrong(fmt::format("`{}`: {}", escaped(term, kLongestShown), read.error()));
    }
  }
  return record;
}

}  // namespace watchpost::auth
