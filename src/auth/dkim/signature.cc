#include "auth/dkim/signature.h"

#include "auth/dkim/tag_list.h"
#include "auth/domain_name.h"
#include "auth/mailbox.h"
#include "base/ascii.h"
#include "base/text.h"
#include "crypto/base64.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace watchpost::auth {
namespace {

constexpr size_t kShownBegin = 8;  // RFC 6008 section 3: at least eight characters
constexpr size_t kMostDigitsOfTime = 12, kMostDigitsOfLength = 76;

// A number of so many digits at most; what is past 64 bits is their greatest.
std::optional<uint64_t> number(std::string_view text, size_t most_digits) {
  if (text.empty() || text.size() > most_digits || !std::ranges::all_of(text, is_digit)) {
    return std::nullopt;
  }
  uint64_t value = 0;
  for (const char c : text) {
    const auto digit = static_cast<uint64_t>(c - '0');
    if (value > (UINT64_MAX - digit) / 10) return UINT64_MAX;
    value = value * 10 + digit;
  }
  return value;
}

std::optional<Time> seconds(std::string_view text) {
  const auto value = number(text, kMostDigitsOfTime);
  if (!value) return std::nullopt;
  return Time(std::chrono::seconds(static_cast<int64_t>(*value)));
}

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// RFC 6376 section 2.11: "=3B" is a semicolon, blanks are none of the value.
std::string without_quoting(std::string_view value) {
  const std::string packed = without_blanks(value);
  std::string text;
  for (size_t at = 0; at < packed.size(); ++at) {
    const bool quoted = packed[at] == '=' && at + 2 < packed.size();
    const int high = quoted ? hex_digit(packed[at + 1]) : -1;
    const int low = quoted ? hex_digit(packed[at + 2]) : -1;
    if (high >= 0 && low >= 0) {
      text += static_cast<char>(high * 16 + low);
      at += 2;
    } else {
      text += packed[at];
    }
  }
  return text;
}

std::string begin_of(std::string_view value) {
  std::string begin;
  for (const char c : value) {
    if (begin.size() == kShownBegin) break;
    if (c > ' ') begin += c;
  }
  return begin;
}

bool is_field_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return c > ' ' && c < 0x7F && c != ':' && c != ';';
  });
}

Canonicalisation in_words(std::string_view word, bool& known) {
  known &= equal_nocase(word, "simple") || equal_nocase(word, "relaxed");
  return equal_nocase(word, "relaxed") ? Canonicalisation::relaxed : Canonicalisation::simple;
}

// One reading of one field. Goes on where something is wrong, so that the verdict says who it was;
// the first thing wrong counts.
class Reading {
 public:
  Reading(const mime::Field& field, SignatureKind kind, const DkimOptions& options)
      : kind_(kind), options_(options), list_(TagList::read(field.body)) {
    read_.field = &field;
  }

  Signature run() {
    if (!list_.fault().empty()) {
      refuse(DkimResult::neutral, "the signature " + list_.fault());
      return std::move(read_);
    }
    who();
    algorithm();
    value();
    times();
    if (kind_ == SignatureKind::dkim) identity();
    if (kind_ == SignatureKind::arc_seal) {
      if (const auto* cv = wanted("cv")) read_.cv = lower_ascii(cv->value);
    } else {
      of_message();
    }
    return std::move(read_);
  }

 private:
  void refuse(DkimResult result, std::string why) {
    if (!read_.usable()) return;
    read_.verdict.result = result;
    read_.verdict.why = std::move(why);
  }
  void unreadable(std::string_view tag) {
    refuse(DkimResult::neutral, fmt::format("the signature's {}= cannot be read", tag));
  }
  const Tag* wanted(std::string_view name) {
    const Tag* const tag = list_.find(name);
    if (tag == nullptr) refuse(DkimResult::neutral, fmt::format("the signature has no {}=", name));
    return tag;
  }

  void who() {
    if (kind_ == SignatureKind::dkim) {
      const Tag* const version = wanted("v");
      if (version != nullptr && version->value != "1") {
        refuse(DkimResult::neutral, "the signature is of another version (v=)");
      }
    }
    if (const Tag* const domain = wanted("d")) {
      auto name = mail_domain(domain->value);
      // RFC 6376 section 3.5: two labels at least.
      if (!name || name->find('.') == std::string::npos) unreadable("d");
      if (name) read_.verdict.domain = std::move(*name);
    }
    if (const Tag* const selector = wanted("s")) {
      auto name = mail_domain(selector->value);
      if (!name) unreadable("s");
      if (name) read_.verdict.selector = std::move(*name);
    }
  }

  void algorithm() {
    const Tag* const tag = wanted("a");
    if (tag == nullptr) return;
    const std::string name = lower_ascii(tag->value);
    if (name == "rsa-sha256" || name == "ed25519-sha256") {
      read_.verdict.algorithm = name;
      read_.kind = name[0] == 'r' ? crypto::KeyKind::rsa : crypto::KeyKind::ed25519;
    } else if (name == "rsa-sha1") {
      read_.verdict.algorithm = name;
      refuse(DkimResult::policy, "the signature is made with SHA-1 (RFC 8301)");
    } else {
      refuse(DkimResult::neutral, "the signature's algorithm is unknown (a=)");
    }
  }

  void value() {
    const Tag* const tag = wanted("b");
    if (tag == nullptr) return;
    const auto in_raw = static_cast<size_t>(read_.field->body.data() - read_.field->raw.data());
    read_.b_value = {in_raw + tag->begin, in_raw + tag->end};
    read_.verdict.b_begin = begin_of(tag->value);
    auto bytes = crypto::from_base64(tag->value);
    if (!bytes || bytes->empty()) unreadable("b");
    if (bytes) read_.signature = std::move(*bytes);
  }

  void times() {
    DkimVerdict& verdict = read_.verdict;
    if (const Tag* const tag = list_.find("t")) {
      verdict.signed_at = seconds(tag->value);
      if (!verdict.signed_at) unreadable("t");
    }
    if (const Tag* const tag = list_.find("x")) {
      verdict.expires_at = seconds(tag->value);
      if (!verdict.expires_at) unreadable("x");
    }
    if (verdict.signed_at && verdict.expires_at && *verdict.expires_at <= *verdict.signed_at) {
      refuse(DkimResult::neutral, "the signature expires before it was made (x=, t=)");
    }
    if (verdict.expires_at && *verdict.expires_at + options_.clock_skew < options_.now) {
      refuse(DkimResult::policy, "the signature has expired (x=)");
    }
  }

  void identity() {
    DkimVerdict& verdict = read_.verdict;
    const Tag* const tag = list_.find("i");
    if (tag == nullptr) {
      verdict.identity = "@" + verdict.domain;
      return;
    }
    verdict.identity = without_quoting(tag->value);
    const size_t at = verdict.identity.rfind('@');
    const auto domain = at == std::string::npos
                            ? std::nullopt
                            : mail_domain(std::string_view(verdict.identity).substr(at + 1));
    if (!domain) return unreadable("i");
    verdict.identity.replace(at + 1, std::string::npos, *domain);
    if (!is_same_or_below(*domain, verdict.domain)) {
      refuse(DkimResult::permerror, "the identity is not below the signing domain (i=, d=)");
    }
  }

  void of_message() {
    body_hash();
    canonicalisation();
    fields();
    if (const Tag* const tag = list_.find("l")) {
      read_.verdict.body_length = number(tag->value, kMostDigitsOfLength);
      if (!read_.verdict.body_length) unreadable("l");
    }
    const Tag* const query = list_.find("q");
    if (query != nullptr && !has_item(query->value, "dns/txt")) {
      refuse(DkimResult::neutral, "the signature's key is not in DNS (q=)");
    }
  }

  void body_hash() {
    const Tag* const tag = wanted("bh");
    if (tag == nullptr) return;
    auto bytes = crypto::from_base64(tag->value);
    // What SHA-1 makes is shorter, and has been refused before.
    if (!bytes || bytes->size() != crypto::Sha256().size()) return unreadable("bh");
    read_.body_hash = std::move(*bytes);
  }

  void canonicalisation() {
    const Tag* const tag = list_.find("c");
    if (tag == nullptr) return;
    const size_t slash = tag->value.find('/');
    bool known = true;
    read_.verdict.header = in_words(tag->value.substr(0, slash), known);
    if (slash != std::string_view::npos) {
      read_.verdict.body = in_words(tag->value.substr(slash + 1), known);
    }
    if (!known) refuse(DkimResult::neutral, "the signature's canonicalisation is unknown (c=)");
  }

  void fields() {
    const Tag* const tag = wanted("h");
    if (tag == nullptr) return;
    // What a sealer signs of the header is its own affair (RFC 8617 section 4.1.2).
    const bool sealer = kind_ == SignatureKind::arc_message;
    if (sealer && tag->value.empty()) return;
    const std::vector<std::string_view> names = items_of(tag->value);
    read_.verdict.fields.reserve(names.size());
    for (const std::string_view name : names) {
      if (!is_field_name(name)) return unreadable("h");
      read_.verdict.fields.push_back(lower_ascii(name));
    }
    if (sealer) return;
    // RFC 6376 section 5.4.
    if (std::ranges::find(read_.verdict.fields, "from") == read_.verdict.fields.end()) {
      refuse(DkimResult::permerror, "the signature does not cover From (h=)");
    }
  }

  SignatureKind kind_;
  const DkimOptions& options_;
  TagList list_;
  Signature read_;
};

}  // namespace

Signature read_signature(const mime::Field& field, SignatureKind kind, const DkimOptions& options) {
  return Reading(field, kind, options).run();
}

}  // namespace watchpost::auth
