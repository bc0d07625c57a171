#include "net/http_target.h"

#include "base/text.h"

#include <algorithm>

namespace watchpost::net {
namespace {

constexpr size_t kMostFields = 100;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

Result<std::string> form_decoded(std::string_view text) {
  std::string blanks(text);
  std::ranges::replace(blanks, '+', ' ');
  return percent_decoded(blanks);
}

}  // namespace

Result<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t at = 0; at < text.size(); ++at) {
    char c = text[at];
    if (c == '%') {
      const int high = at + 2 < text.size() ? hex_value(text[at + 1]) : -1;
      const int low = at + 2 < text.size() ? hex_value(text[at + 2]) : -1;
      if (high < 0 || low < 0) return fail(Code::bad_input, "broken percent-encoding in the URL");
      c = static_cast<char>(high * 16 + low);
      at += 2;
    }
    if (c == '\0') return fail(Code::bad_input, "a NUL in the URL");
    decoded += c;
  }
  return decoded;
}

std::string percent_encoded(std::string_view text) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    if (is_unreserved(c)) {
      encoded += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      encoded += '%';
      encoded += kDigits[byte >> 4];
      encoded += kDigits[byte & 15];
    }
  }
  return encoded;
}

Result<HttpTarget> parse_target(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (lower_ascii(target.substr(0, scheme.size())) != scheme) continue;
    const size_t slash = target.find_first_of("/?", scheme.size());
    // RFC 9112 3.2.2: an absolute form without a path means "/".
    if (slash == std::string_view::npos) return HttpTarget{.path = "/", .query = {}};
    target.remove_prefix(slash);
  }
  if (target.find('#') != std::string_view::npos) {
    return fail(Code::bad_input, "a fragment in the URL");
  }
  const size_t mark = target.find('?');
  const std::string_view path = target.substr(0, mark);
  if (!path.starts_with('/')) return fail(Code::bad_input, "the URL's path does not begin with /");
  auto decoded = percent_decoded(path);
  if (!decoded) return fail(decoded.error());
  HttpTarget parsed{.path = std::move(*decoded), .query = {}};
  if (mark == std::string_view::npos) return parsed;
  for (const std::string_view pair : split(target.substr(mark + 1), '&')) {
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    const auto name = form_decoded(pair.substr(0, equals));
    auto value = form_decoded(equals == std::string_view::npos ? "" : pair.substr(equals + 1));
    if (!name) return fail(name.error());
    if (!value) return fail(value.error());
    if (parsed.query.size() >= kMostFields) return fail(Code::bad_input, "too many query fields");
    parsed.query.insert_or_assign(*name, std::move(*value));
  }
  return parsed;
}

}  // namespace watchpost::net
