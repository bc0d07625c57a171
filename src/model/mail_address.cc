#include "model/mail_address.h"

#include "base/ascii.h"
#include "base/idn.h"
#include "base/text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

namespace watchpost {
namespace {

constexpr size_t kLongestAddress = 320;
constexpr size_t kLongestLabel = 63;
constexpr size_t kLongestDomain = 253;

constexpr uint8_t kInLocal = 1;  // atext of RFC 5322 and the dot
constexpr uint8_t kInDomain = 2;
constexpr uint8_t kBeyondAscii = 4;

constexpr std::array<uint8_t, 256> classes() {
  std::array<uint8_t, 256> made{};
  for (size_t i = 0; i < made.size(); ++i) {
    const char c = static_cast<char>(i);
    const bool word = is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'z');
    if (word || std::string_view("!#$%&'*+-/=?^_`{|}~.").contains(c)) made[i] |= kInLocal;
    if (word || std::string_view("-_.").contains(c)) made[i] |= kInDomain;
    if (i >= 0x80) made[i] |= kBeyondAscii;
  }
  return made;
}
constexpr std::array<uint8_t, 256> kClasses = classes();

// The classes that all bytes have, and those that any has.
struct Seen {
  uint8_t all = 0xFF;
  uint8_t any = 0;
};
Seen seen_in(std::string_view text) {
  Seen seen;
  for (const char c : text) {
    const uint8_t is = kClasses[static_cast<unsigned char>(c)];
    seen.all &= is;
    seen.any |= is;
  }
  return seen;
}

bool are_labels(std::string_view domain) {
  if (domain.size() > kLongestDomain) return false;
  size_t begin = 0;
  while (true) {
    const size_t end = std::min(domain.find('.', begin), domain.size());
    const std::string_view label = domain.substr(begin, end - begin);
    if (label.empty() || label.size() > kLongestLabel) return false;
    if (label.front() == '-' || label.back() == '-') return false;
    if (end == domain.size()) return true;
    begin = end + 1;
  }
}

// Lower case and NFC by Unicode; empty where ICU cannot.
std::string lower_composed(std::string_view text) {
  // Lower case may be longer: at most three code units for one.
  std::array<UChar, 4 * kLongestAddress> from, lower, composed;
  const auto room = static_cast<int32_t>(from.size());
  UErrorCode error = U_ZERO_ERROR;
  int32_t length = 0;
  u_strFromUTF8(from.data(), room, &length, text.data(), static_cast<int32_t>(text.size()), &error);
  length = u_strToLower(lower.data(), room, from.data(), length, "", &error);
  const UNormalizer2* const nfc = unorm2_getNFCInstance(&error);
  length = unorm2_normalize(nfc, lower.data(), length, composed.data(), room, &error);
  std::array<char, 3 * 4 * kLongestAddress> bytes;
  int32_t size = 0;
  u_strToUTF8(bytes.data(), static_cast<int32_t>(bytes.size()), &size, composed.data(), length,
              &error);
  if (U_FAILURE(error)) return {};
  return {bytes.data(), static_cast<size_t>(size)};
}

// What stands between the quotes, without the backslashes; false where it is no quoted string.
bool unquote(std::string_view quoted, std::string& out) {
  for (size_t i = 1; i + 1 < quoted.size(); ++i) {
    if (quoted[i] == '"') return false;
    if (quoted[i] == '\\' && ++i + 1 == quoted.size()) return false;
    out += quoted[i];
  }
  return !out.empty();
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string local_key(std::string_view local) {
  const bool in_quotes = local.size() > 2 && local.front() == '"' && local.back() == '"';
  std::string text;
  if (!in_quotes) {
    text = local;
  } else if (!unquote(local, text)) {
    return {};
  }
  // Valid UTF-8 without control bytes or those that turn the direction of writing. It shows
  // backslashes as they are.
  if (escaped(text) != text) return {};
  const auto is_atom = [](char c) {
    return (kClasses[static_cast<unsigned char>(c)] & (kInLocal | kBeyondAscii)) != 0;
  };
  const bool plain = std::ranges::all_of(text, is_atom);
  if (!plain && !in_quotes) return {};
  const bool ascii = (seen_in(text).any & kBeyondAscii) == 0;
  if (ascii) {
    std::ranges::transform(text, text.begin(), to_lower);
  } else {
    text = lower_composed(text);
  }
  return plain ? text : quoted(text);
}

std::string domain_key(std::string_view domain) {
  std::string name(domain);
  if ((seen_in(domain).any & kBeyondAscii) != 0) {
    auto labels = with_a_labels(name);
    if (!labels) return {};
    name = std::move(*labels);
  }
  std::ranges::transform(name, name.begin(), to_lower);
  if ((seen_in(name).all & kInDomain) == 0 || !are_labels(name)) return {};
  return name;
}

// Where quotes, or bytes beyond ASCII, are in it.
std::string unusual_key(std::string_view local, std::string_view domain) {
  std::string key = local_key(local);
  const std::string name = domain_key(domain);
  if (key.empty() || name.empty() || key.size() + 1 + name.size() > kLongestAddress) return {};
  return (key += '@') += name;
}

}  // namespace

std::string mail_address_key(std::string_view address) {
  if (address.starts_with('<') && address.ends_with('>') && address.size() > 2) {
    address = address.substr(1, address.size() - 2);
  }
  if (address.ends_with('.')) address.remove_suffix(1);
  if (address.size() > kLongestAddress) return {};
  const size_t at = address.rfind('@');
  if (at == std::string_view::npos || at == 0 || at + 1 == address.size()) return {};
  const std::string_view local = address.substr(0, at);
  const std::string_view domain = address.substr(at + 1);
  const Seen in_local = seen_in(local);
  const Seen in_domain = seen_in(domain);
  const bool usual = (in_local.all & kInLocal) != 0 && (in_domain.all & kInDomain) != 0;
  if (!usual) {
    const bool may_be =
        local.front() == '"' || ((in_local.any | in_domain.any) & kBeyondAscii) != 0;
    return may_be ? unusual_key(local, domain) : std::string();
  }
  if (!are_labels(domain)) return {};
  std::string made(address);
  std::ranges::transform(made, made.begin(), to_lower);
  return made;
}

}  // namespace watchpost
