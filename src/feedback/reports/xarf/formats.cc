#include "feedback/reports/xarf/formats.h"

#include "base/ascii.h"
#include "base/text.h"
#include "base/time.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace watchpost::feedback {
namespace {

bool is_small(char c) { return c >= 'a' && c <= 'z'; }
bool is_capital(char c) { return c >= 'A' && c <= 'Z'; }
bool is_letter(char c) { return is_small(c) || is_capital(c); }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool all(std::string_view text, bool (*fits)(char)) {
  return !text.empty() && std::ranges::all_of(text, fits);
}
bool is_hex_of(std::string_view text, size_t digits) {
  return text.size() == digits && all(text, is_hex);
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label, [](char c) { return is_letter(c) || is_digit(c) || c == '-'; });
}

// One metric of a vector: its name, and the letters or words it may have.
struct Metric {
  std::string_view name;
  std::string_view values;  // between blanks
};
constexpr std::array<Metric, 6> kCvss2 = {{{"AV", "L A N"},
                                           {"AC", "H M L"},
                                           {"Au", "M S N"},
                                           {"C", "N P C"},
                                           {"I", "N P C"},
                                           {"A", "N P C"}}};
constexpr std::array<Metric, 8> kCvss3 = {{{"AV", "N A L P"},
                                           {"AC", "L H"},
                                           {"PR", "N L H"},
                                           {"UI", "N R"},
                                           {"S", "U C"},
                                           {"C", "N L H"},
                                           {"I", "N L H"},
                                           {"A", "N L H"}}};

// The base metrics in their order; of what follows only its shape is asked.
bool is_vector(std::string_view text, std::span<const Metric> base) {
  const std::vector<std::string_view> parts = split(text, '/');
  if (parts.size() < base.size()) return false;
  for (size_t i = 0; i < parts.size(); ++i) {
    const size_t colon = parts[i].find(':');
    if (colon == std::string_view::npos) return false;
    const std::string_view name = parts[i].substr(0, colon);
    const std::string_view value = parts[i].substr(colon + 1);
    if (i >= base.size()) {
      if (!all(name, is_letter) || !all(value, is_capital)) return false;
      continue;
    }
    const auto values = words(base[i].values);
    if (name != base[i].name || std::ranges::find(values, value) == values.end()) return false;
  }
  return true;
}

bool is_tag_part(std::string_view part) {
  const auto plain = [](char c) { return is_small(c) || is_digit(c); };
  return !part.empty() && plain(part.front()) && std::ranges::all_of(part, [&](char c) {
    return plain(c) || c == '_' || c == '+' || c == '-';
  });
}

}  // namespace

bool is_email(std::string_view text) {
  const size_t at = text.rfind('@');
  if (at == std::string_view::npos || at == 0 || at + 1 == text.size()) return false;
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) <= ' '; });
}
bool is_no_email(std::string_view text) { return !is_email(text); }

bool is_host_name(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty() || text.size() > 253) return false;
  return std::ranges::all_of(split(text, '.'), is_label);
}

bool is_uri(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos || !is_letter(text.front())) return false;
  const auto in_scheme = [](char c) {
    return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
  };
  if (!std::ranges::all_of(text.substr(0, colon), in_scheme)) return false;
  return std::ranges::all_of(text, [](char c) {
    return c > ' ' && c < '\x7F' && std::string_view("<>\"{}|\\^`").find(c) == std::string::npos;
  });
}

bool is_date_time(std::string_view text) { return parse_time(text).has_value(); }
bool is_date(std::string_view text) {
  return text.size() == 10 && parse_time(std::string(text) + "T00:00:00Z").has_value();
}

bool is_uuid(std::string_view text) {
  constexpr std::array<size_t, 5> kDigits = {8, 4, 4, 4, 12};
  const std::vector<std::string_view> parts = split(text, '-');
  if (parts.size() != kDigits.size()) return false;
  for (size_t i = 0; i < kDigits.size(); ++i) {
    if (!is_hex_of(parts[i], kDigits[i])) return false;
  }
  return true;
}

bool is_version_4(std::string_view text) {
  const std::vector<std::string_view> parts = split(text, '.');
  return parts.size() == 3 && parts[0] == "4" && all(parts[1], is_digit) && all(parts[2], is_digit);
}

bool is_cve(std::string_view text) {
  const std::vector<std::string_view> parts = split(text, '-');
  return parts.size() == 3 && parts[0] == "CVE" && parts[1].size() == 4 &&
         all(parts[1], is_digit) && all(parts[2], is_digit) && parts[2].size() >= 4;
}

bool is_cvss_2(std::string_view text) {
  if (text.starts_with('(') && text.ends_with(')')) text = text.substr(1, text.size() - 2);
  return is_vector(text, kCvss2);
}
bool is_cvss_3(std::string_view text) {
  return is_cvss_3_prefix(text) && is_vector(text.substr(text.find('/') + 1), kCvss3);
}
bool is_cvss_3_prefix(std::string_view text) {
  return text.starts_with("CVSS:3.0/") || text.starts_with("CVSS:3.1/");
}

bool is_digest(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view name = text.substr(0, colon);
  return (name == "md5" || name == "sha1" || name == "sha256" || name == "sha512") &&
         all(text.substr(colon + 1), is_hex);
}
bool is_md5(std::string_view text) { return is_hex_of(text, 32); }
bool is_sha1(std::string_view text) { return is_hex_of(text, 40); }
bool is_sha256(std::string_view text) { return is_hex_of(text, 64); }

bool is_tag(std::string_view text) {
  const size_t colon = text.find(':');
  return colon != std::string_view::npos && is_tag_part(text.substr(0, colon)) &&
         is_tag_part(text.substr(colon + 1));
}

bool is_language(std::string_view text) {
  if (text.size() < 2 || !all(text.substr(0, 2), is_small)) return false;
  return text.size() == 2 || (text.size() == 5 && text[2] == '-' && is_country(text.substr(3)));
}
bool is_country(std::string_view text) { return text.size() == 2 && all(text, is_capital); }
bool is_currency(std::string_view text) { return text.size() == 3 && all(text, is_capital); }

bool is_small_domain(std::string_view text) {
  const std::vector<std::string_view> labels = split(text, '.');
  if (labels.size() < 2 || labels.back().size() < 2 || !all(labels.back(), is_small)) return false;
  return is_host_name(text) && std::ranges::none_of(text, is_capital) && !text.ends_with('.') &&
         text.find("--") == std::string_view::npos;
}

bool is_magnet(std::string_view text) { return text.starts_with("magnet:?xt=urn:"); }

}  // namespace watchpost::feedback
