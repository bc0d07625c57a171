#include "feedback/reports/complaint_text.h"

#include "base/text.h"
#include "mime/address.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <optional>
#include <utility>

namespace watchpost::feedback {
namespace {

constexpr size_t kMostAddress = 1'000;  // bytes looked at: SMTP has 254
constexpr size_t kShortestHash = 27;    // SHA-1 in base64 without its padding
constexpr std::array<std::string_view, 9> kHidden = {
    "redacted",  "[redacted]", "removed",     "hidden",     "anonymous",
    "concealed", "masked",     "undisclosed", "suppressed",
};

bool parses(int family, std::string_view text) {
  std::array<char, 64> zero_ended{};
  if (text.empty() || text.size() >= zero_ended.size()) return false;
  std::ranges::copy(text, zero_ended.begin());
  std::array<unsigned char, 16> bytes{};
  return text.find('\0') == std::string_view::npos &&
         inet_pton(family, zero_ended.data(), bytes.data()) == 1;
}

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

// Longer than names are and of an alphabet that names do not have: hex, or base64 with capitals
// and digits among small letters.
bool looks_hashed(std::string_view local) {
  if (local.size() < kShortestHash) return false;
  const std::string lower = lower_ascii(local);
  if (local.size() >= 32 && std::ranges::all_of(lower, is_hex)) return true;
  size_t digits = 0;
  size_t capitals = 0;
  size_t small = 0;
  for (const char c : local) {
    if (c >= '0' && c <= '9') {
      ++digits;
    } else if (c >= 'A' && c <= 'Z') {
      ++capitals;
    } else if (c >= 'a' && c <= 'z') {
      ++small;
    } else if (c != '+' && c != '/' && c != '=') {
      return false;
    }
  }
  return digits >= 2 && capitals >= 4 && small >= 4;
}

// Nothing but one sign of those that stand for what is not shown.
bool is_mask(std::string_view local) {
  if (local.size() >= 3 && (local.starts_with("***") || local.ends_with("***"))) return true;
  const std::string lower = lower_ascii(local);
  return local.size() >= 3 && std::ranges::all_of(lower, [&](char c) {
           return c == lower.front() && (c == '*' || c == 'x' || c == '.' || c == '#');
         });
}

}  // namespace

std::string bare_address(std::string_view text) {
  text = trim(text.substr(0, kMostAddress));
  if (text == "<>") return {};
  // "rfc822; user@example.com": the type before it is that of DSNs (RFC 3464 section 2.1.2).
  if (lower_ascii(text.substr(0, 7)) == "rfc822;") text = trim(text.substr(7));
  const std::optional<mime::Address> address = mime::first_address(text);
  if (address && !address->local.empty()) return one_line(address->text());
  std::string line = one_line(text);
  if (line.size() >= 2 && line.front() == '<' && line.back() == '>') {
    line = one_line(std::string_view(line).substr(1, line.size() - 2));
  }
  return line;
}

bool is_ipv4(std::string_view text) { return parses(AF_INET, text); }
bool is_ipv6(std::string_view text) { return parses(AF_INET6, text); }
bool is_ip(std::string_view text) { return is_ipv4(text) || is_ipv6(text); }

std::string bare_ip(std::string_view text) {
  constexpr std::string_view kBetween = " \t\r\n[](){}<>;,\"'=";
  std::string_view rest = text.substr(0, kMostAddress);
  while (!rest.empty()) {
    const size_t begin = rest.find_first_not_of(kBetween);
    if (begin == std::string_view::npos) break;
    rest.remove_prefix(begin);
    const size_t end = std::min(rest.find_first_of(kBetween), rest.size());
    std::string_view word = rest.substr(0, end);
    rest.remove_prefix(end);
    // "IPv6:2001:db8::1" (RFC 5321 section 4.1.3)
    if (lower_ascii(word.substr(0, 5)) == "ipv6:") word.remove_prefix(5);
    if (is_ip(word)) return std::string(word);
  }
  return one_line(text);
}

std::string bare_message_id(std::string_view text) {
  const size_t open = text.find('<');
  const size_t close = open == std::string_view::npos ? open : text.find('>', open);
  if (close != std::string_view::npos) text = text.substr(open + 1, close - open - 1);
  return one_line(text);
}

void note(FeedbackMail& mail, std::string defect) {
  if (std::ranges::find(mail.defects, defect) == mail.defects.end()) {
    mail.defects.push_back(std::move(defect));
  }
}

bool is_redacted(std::string_view address) {
  const size_t at = address.rfind('@');
  const std::string_view local = address.substr(0, at);
  const std::string lower = lower_ascii(local);
  if (std::ranges::find(kHidden, lower) != kHidden.end()) return true;
  if (lower.find("redacted") != std::string::npos) return true;
  if (at != std::string_view::npos && lower_ascii(address.substr(at + 1)) == "redacted") {
    return true;
  }
  if (at != std::string_view::npos && local.empty()) return true;
  return is_mask(local) || looks_hashed(local);
}

}  // namespace watchpost::feedback
