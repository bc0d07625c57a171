#include "feedback/formats/powermta_text.h"

#include "base/ascii.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace watchpost::feedback {
namespace {

constexpr size_t npos = std::string_view::npos;

// Seconds since 1970, perhaps with a fraction.
std::optional<Time> unix_time(std::string_view text) {
  int64_t seconds = 0;
  const auto [rest, fault] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (fault != std::errc() || seconds < 0 || seconds > 253'402'300'799) return std::nullopt;
  std::string_view fraction(rest, static_cast<size_t>(text.data() + text.size() - rest));
  int64_t micros = 0;
  if (!fraction.empty()) {
    if (fraction.front() != '.' || fraction.size() < 2 || fraction.size() > 10) return std::nullopt;
    fraction.remove_prefix(1);
    if (!std::ranges::all_of(fraction, is_digit)) return std::nullopt;
    for (size_t i = 0; i < 6; ++i) {
      micros = micros * 10 + (i < fraction.size() ? fraction[i] - '0' : 0);
    }
  }
  return Time(std::chrono::seconds(seconds) + std::chrono::microseconds(micros));
}

constexpr std::array<PowermtaCategory, 16> kCategories{{
    {"bad-mailbox", "unknown_user", "powermta/bad-mailbox"},
    {"inactive-mailbox", "inactive", "powermta/inactive-mailbox"},
    {"bad-domain", "bad_domain", "powermta/bad-domain"},
    {"bad-configuration", "system", "powermta/bad-configuration"},
    {"bad-connection", "network", "powermta/bad-connection"},
    {"content-related", "content_block", "powermta/content-related"},
    {"spam-related", "reputation_block", "powermta/spam-related"},
    {"virus-related", "content_block", "powermta/virus-related"},
    {"policy-related", "policy", "powermta/policy-related"},
    {"protocol-errors", "protocol", "powermta/protocol-errors"},
    {"quota-issues", "mailbox_full", "powermta/quota-issues"},
    {"relaying-issues", "relay_denied", "powermta/relaying-issues"},
    {"routing-errors", "dns", "powermta/routing-errors"},
    {"no-answer-from-host", "network", "powermta/no-answer-from-host"},
    {"invalid-sender", "policy", "powermta/invalid-sender"},
    {"", "", ""},
}};

struct TypeName {
  std::string_view letters;
  std::string_view name;
  PowermtaRecord record;
};
constexpr std::array<TypeName, 9> kTypes{{
    {"d", "delivery", PowermtaRecord::delivery},
    {"b", "bounce", PowermtaRecord::bounce},
    {"t", "transient", PowermtaRecord::transient},
    {"tq", "transient-queue", PowermtaRecord::transient_queue},
    {"r", "receipt", PowermtaRecord::receipt},
    {"f", "feedback-loop", PowermtaRecord::feedback_loop},
    {"fbl", "fbl", PowermtaRecord::feedback_loop},
    {"rb", "remote-bounce", PowermtaRecord::remote_bounce},
    {"rs", "remote-status", PowermtaRecord::remote_status},
}};

}  // namespace

std::optional<Time> powermta_time(std::string_view text) {
  constexpr size_t kLongest = 40;
  if (text.empty() || text.size() > kLongest) return std::nullopt;
  if (text.find_first_not_of("0123456789.") == npos) return unix_time(text);
  const size_t size = text.size();
  // "-0500" -> "-05:00"
  const bool short_zone = size > 5 && (text[size - 5] == '+' || text[size - 5] == '-') &&
                          std::ranges::all_of(text.substr(size - 4), is_digit);
  if (!short_zone) return parse_time(text);
  std::array<char, kLongest + 1> with_colon;
  std::ranges::copy(text.substr(0, size - 2), with_colon.begin());
  with_colon[size - 2] = ':';
  std::ranges::copy(text.substr(size - 2),
                    with_colon.begin() + static_cast<std::ptrdiff_t>(size) - 1);
  return parse_time({with_colon.data(), size + 1});
}

std::optional<PowermtaRecord> powermta_record(std::string_view type) {
  for (const TypeName& known : kTypes) {
    if (type == known.letters || equal_nocase(type, known.name)) return known.record;
  }
  return std::nullopt;
}

PowermtaHost powermta_host(std::string_view text) {
  PowermtaHost host{.name = text};
  if (!text.ends_with(')')) return host;
  const size_t open = text.rfind('(');
  if (open == npos) return host;
  host.ip = text.substr(open + 1, text.size() - open - 2);
  host.name = text.substr(0, open);
  while (host.name.ends_with(' ')) host.name.remove_suffix(1);
  return host;
}

PowermtaStatus powermta_status(std::string_view text) {
  PowermtaStatus status{.status = text.substr(0, text.find(' '))};
  const size_t open = text.find('(');
  if (open != npos && text.ends_with(')')) {
    status.words = text.substr(open + 1, text.size() - open - 2);
  }
  return status;
}

std::string_view without_type(std::string_view text) {
  const size_t semicolon = text.find(';');
  if (semicolon == npos || semicolon == 0) return text;
  const auto fits = [](char c) {
    return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'z') || c == '-';
  };
  if (!std::ranges::all_of(text.substr(0, semicolon), fits)) return text;
  text.remove_prefix(semicolon + 1);
  while (text.starts_with(' ')) text.remove_prefix(1);
  return text;
}

const PowermtaCategory& powermta_category(std::string_view category) {
  for (const PowermtaCategory& known : kCategories) {
    if (equal_nocase(category, known.category)) return known;
  }
  return kCategories.back();
}

}  // namespace watchpost::feedback
