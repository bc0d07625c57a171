#include "net/smtp_envelope.h"

#include "base/ascii.h"
#include "base/text.h"
#include "net/smtp_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <set>
#include <vector>

namespace watchpost::net {
namespace {

// RFC 5321 section 4.5.3.1 wants 256 of a path; tokens in return paths make some longer.
constexpr size_t kAddressBytes = 512;
constexpr size_t kHeloBytes = 255;
constexpr size_t kEnvelopeIdBytes = 100;         // RFC 3461 section 4.4
constexpr size_t kOriginalRecipientBytes = 500;  // RFC 3461 section 4.2

constexpr SmtpRefusal kBadSender{501, "5.1.7", "the sender's address is malformed"};
constexpr SmtpRefusal kBadRecipient{501, "5.1.3", "the recipient's address is malformed"};
constexpr SmtpRefusal kNeedsUtf8{553, "5.6.7", "an address beyond ASCII needs SMTPUTF8"};
constexpr SmtpRefusal kBadParameter{501, "5.5.4", "a parameter is malformed or given twice"};
constexpr SmtpRefusal kBadBody{501, "5.5.4", "BODY may be 7BIT or 8BITMIME"};
constexpr SmtpRefusal kUnknownParameter{555, "5.5.4", "a parameter is not known here"};

bool beyond_ascii(char c) { return static_cast<unsigned char>(c) >= 0x80; }
bool is_graphic(char c) { return c > ' ' && c < 0x7F; }
bool is_letter_or_digit(char c) {
  return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'z');
}

// Reads a path from the front of a text.
class PathReader {
 public:
  explicit PathReader(std::string_view text) : rest_(text) {}

  std::string_view rest() const { return rest_; }

  // "<user@example.com>", also with a source route, which says nothing any more (RFC 5321 appendix
  // C). `bare` is what may stand without a domain.
  std::optional<std::string> path(std::string_view bare) {
    if (!skip('<')) return std::nullopt;
    const bool routed = !rest_.empty() && rest_.front() == '@';
    if (routed && !skip_route()) return std::nullopt;
    const std::string_view from = rest_;
    const bool has_local = local_part();
    if (!has_local && (routed || !bare.empty())) return std::nullopt;
    const std::string_view local = from.substr(0, from.size() - rest_.size());
    const bool has_domain = has_local && skip('@');
    if (has_domain && !domain()) return std::nullopt;
    if (!has_domain && !equal_nocase(local, bare)) return std::nullopt;
    const std::string_view address = from.substr(0, from.size() - rest_.size());
    if (!skip('>') || address.size() > kAddressBytes || !is_utf8(address)) return std::nullopt;
    return std::string(address);
  }

 private:
  bool skip(char wanted) {
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }
  template <class Allowed>
  bool skip_some(const Allowed& allowed) {
    const size_t count =
        static_cast<size_t>(std::ranges::find_if_not(rest_, allowed) - rest_.begin());
    rest_.remove_prefix(count);
    return count > 0;
  }
  bool skip_route() {
    do {
      if (!skip('@') || !domain()) return false;
    } while (skip(','));
    return skip(':');
  }
  // Dots may stand anywhere, as they do in addresses that exist.
  bool local_part() {
    if (rest_.empty() || rest_.front() != '"') {
      return skip_some([](char c) {
        return beyond_ascii(c) ||
               (is_graphic(c) && !std::string_view("()<>[]:;@\\,\"").contains(c));
      });
    }
    skip('"');
    while (!rest_.empty() && rest_.front() != '"') {
      rest_.remove_prefix(rest_.front() == '\\' && rest_.size() > 1 ? 2 : 1);
    }
    return skip('"');
  }
  bool domain() {
    if (!skip('[')) {
      return skip_some([](char c) {
        return beyond_ascii(c) || is_letter_or_digit(c) || c == '-' || c == '_' || c == '.';
      });
    }
    return skip_some(
               [](char c) { return is_letter_or_digit(c) || c == ':' || c == '.' || c == '-'; }) &&
           skip(']');
  }

  std::string_view rest_;
};

struct Parameter {
  std::string_view name, value;
  bool has_value = false;
};

// " SIZE=1000 SMTPUTF8"; nothing where it is malformed or one is given twice.
std::optional<std::vector<Parameter>> parameters_in(std::string_view text) {
  std::vector<Parameter> found;
  if (!text.empty() && text.front() != ' ') return std::nullopt;
  for (const std::string_view word : words(text)) {
    const size_t equals = word.find('=');
    const Parameter one{.name = word.substr(0, equals),
                        .value = equals == word.npos ? "" : word.substr(equals + 1),
                        .has_value = equals != word.npos};
    const bool named = !one.name.empty() && std::ranges::all_of(one.name, [](char c) {
      return is_letter_or_digit(c) || c == '-';
    });
    const bool again = std::ranges::any_of(
        found, [&](const Parameter& other) { return equal_nocase(one.name, other.name); });
    if (!named || again || one.has_value == one.value.empty() || !is_utf8(one.value)) {
      return std::nullopt;
    }
    found.push_back(one);
  }
  return found;
}

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  const char letter = to_lower(c);
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

// RFC 3461 section 4: "+3D" for "="; nothing where it is malformed.
std::optional<std::string> decoded_xtext(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    char c = text[at];
    if (c == '=') return std::nullopt;
    if (c == '+') {
      const int high = at + 2 < text.size() ? hex_digit(text[at + 1]) : -1;
      const int low = at + 2 < text.size() ? hex_digit(text[at + 2]) : -1;
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      at += 2;
    }
    out += c;
  }
  return out;
}

// Postfix encodes the bytes of UTF-8 as well.
bool is_clean(std::string_view text) {
  return is_utf8(text) &&
         std::ranges::none_of(text, [](char c) { return (c >= 0 && c < ' ') || c == 0x7F; });
}

// RFC 6533 section 3: "\x{E9}" for a character.
std::optional<std::string> decoded_unicode(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t escape = text.find('\\');
    out += text.substr(0, escape);
    if (escape == text.npos) break;
    text.remove_prefix(escape);
    const size_t close = text.find('}');
    if (!text.starts_with("\\x{") || close == text.npos || close > 9) return std::nullopt;
    uint32_t code = 0;
    const auto read = std::from_chars(text.data() + 3, text.data() + close, code, 16);
    if (read.ec != std::errc{} || read.ptr != text.data() + close) return std::nullopt;
    if (code < ' ' || (code >= 0x7F && code < 0xA0) || !append_utf8(out, code)) return std::nullopt;
    text.remove_prefix(close + 1);
  }
  return out;
}

std::optional<std::string> original_recipient(std::string_view value, bool smtputf8) {
  const size_t semicolon = value.find(';');
  if (value.size() > kOriginalRecipientBytes || semicolon == value.npos) return std::nullopt;
  const std::string type = lower_ascii(value.substr(0, semicolon));
  const bool plain_type = std::ranges::all_of(
      type, [](char c) { return is_letter_or_digit(c) || c == '-' || c == '.'; });
  if (type.empty() || !plain_type) return std::nullopt;
  const std::string_view written = value.substr(semicolon + 1);
  auto address = decoded_xtext(written);
  if (address && type == "utf-8") address = decoded_unicode(*address);
  if (!address || address->empty()) return std::nullopt;
  if (!smtputf8 && std::ranges::any_of(value, beyond_ascii)) return std::nullopt;
  return type + ";" + (is_clean(*address) ? *address : std::string(written));
}

// RFC 3461 section 4.1: NEVER alone, or a list without repetition.
std::optional<std::string> notify_list(std::string_view value) {
  std::string out;
  for (const char c : value) out += is_letter_or_digit(c) ? static_cast<char>(c & ~0x20) : c;
  if (out == "NEVER") return out;
  std::set<std::string_view> seen;
  for (const std::string_view word : split(out, ',')) {
    if (word != "SUCCESS" && word != "FAILURE" && word != "DELAY") return std::nullopt;
    if (!seen.insert(word).second) return std::nullopt;
  }
  return out;
}

std::optional<uint64_t> size_in(std::string_view value) {
  uint64_t size = 0;
  const auto read = std::from_chars(value.data(), value.data() + value.size(), size);
  if (read.ec != std::errc{} || read.ptr != value.data() + value.size()) return std::nullopt;
  return size;
}

const SmtpRefusal* set_mail_parameter(const Parameter& given, MailParameters& into) {
  const auto is = [&](std::string_view name) { return equal_nocase(given.name, name); };
  if (is("SIZE")) {
    into.size = size_in(given.value);
    return into.size ? nullptr : &kBadParameter;
  }
  if (is("BODY")) {
    into.eight_bit = equal_nocase(given.value, "8BITMIME");
    return into.eight_bit || equal_nocase(given.value, "7BIT") ? nullptr : &kBadBody;
  }
  if (is("SMTPUTF8")) {
    into.smtputf8 = true;
    return given.has_value ? &kBadParameter : nullptr;
  }
  if (is("RET")) {
    for (const std::string_view word : {"FULL", "HDRS"}) {
      if (equal_nocase(given.value, word)) into.return_content = word;
    }
    return into.return_content.empty() ? &kBadParameter : nullptr;
  }
  if (is("ENVID")) {
    auto decoded = decoded_xtext(given.value);
    const bool fits = decoded && !decoded->empty() && given.value.size() <= kEnvelopeIdBytes &&
                      std::ranges::none_of(given.value, beyond_ascii);
    const bool plain = fits && is_clean(*decoded) && std::ranges::none_of(*decoded, beyond_ascii);
    if (fits) into.envelope_id = plain ? std::move(*decoded) : std::string(given.value);
    return fits ? nullptr : &kBadParameter;
  }
  return &kUnknownParameter;
}

const SmtpRefusal* set_rcpt_parameter(const Parameter& given, bool smtputf8, MailRecipient& into) {
  const auto is = [&](std::string_view name) { return equal_nocase(given.name, name); };
  if (!is("NOTIFY") && !is("ORCPT")) return &kUnknownParameter;
  auto value = is("NOTIFY") ? notify_list(given.value) : original_recipient(given.value, smtputf8);
  if (!value) return &kBadParameter;
  (is("NOTIFY") ? into.notify : into.original) = std::move(*value);
  return nullptr;
}

// Behind "FROM:" or "TO:". A blank there is a common fault, and harmless.
std::optional<std::string_view> behind(std::string_view keyword, std::string_view text) {
  if (!starts_with_nocase(text, keyword)) return std::nullopt;
  text.remove_prefix(keyword.size());
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  return text;
}

}  // namespace

std::expected<MailArguments, SmtpRefusal> parse_mail_arguments(std::string_view text) {
  const auto from = behind("FROM:", text);
  if (!from) return std::unexpected(kBadSender);
  PathReader reader(*from);
  auto sender = reader.path("");
  if (!sender) return std::unexpected(kBadSender);
  const auto parameters = parameters_in(reader.rest());
  if (!parameters) return std::unexpected(kBadParameter);
  MailArguments out{.sender = std::move(*sender), .parameters = {}};
  for (const Parameter& one : *parameters) {
    if (const auto* refused = set_mail_parameter(one, out.parameters)) {
      return std::unexpected(*refused);
    }
  }
  if (!out.parameters.smtputf8 && std::ranges::any_of(out.sender, beyond_ascii)) {
    return std::unexpected(kNeedsUtf8);
  }
  return out;
}

std::expected<MailRecipient, SmtpRefusal> parse_rcpt_arguments(std::string_view text,
                                                               bool smtputf8) {
  const auto to = behind("TO:", text);
  if (!to) return std::unexpected(kBadRecipient);
  PathReader reader(*to);
  auto address = reader.path("postmaster");  // RFC 5321 section 4.5.1
  if (!address) return std::unexpected(kBadRecipient);
  if (!smtputf8 && std::ranges::any_of(*address, beyond_ascii)) return std::unexpected(kNeedsUtf8);
  const auto parameters = parameters_in(reader.rest());
  if (!parameters) return std::unexpected(kBadParameter);
  MailRecipient out{.address = std::move(*address), .notify = {}, .original = {}};
  for (const Parameter& one : *parameters) {
    if (const auto* refused = set_rcpt_parameter(one, smtputf8, out)) {
      return std::unexpected(*refused);
    }
  }
  return out;
}

bool is_helo_name(std::string_view text) {
  return !text.empty() && text.size() <= kHeloBytes && std::ranges::all_of(text, is_graphic);
}

}  // namespace watchpost::net
