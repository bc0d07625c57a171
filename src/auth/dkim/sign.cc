#include "auth/dkim/sign.h"

#include "auth/dkim/signed_message.h"
#include "auth/domain_name.h"
#include "auth/mailbox.h"
#include "base/ascii.h"
#include "base/text.h"
#include "crypto/base64.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace watchpost::auth {
namespace {

// RFC 6376 section 5.4.1 and what has come since. Those that may be there once come first.
constexpr std::array<std::string_view, 13> kOnce{"from",
                                                 "sender",
                                                 "reply-to",
                                                 "to",
                                                 "cc",
                                                 "subject",
                                                 "date",
                                                 "message-id",
                                                 "in-reply-to",
                                                 "references",
                                                 "mime-version",
                                                 "content-type",
                                                 "content-transfer-encoding"};
constexpr std::array<std::string_view, 19> kOthers{
    "resent-date",      "resent-from",           "resent-sender",   "resent-to",
    "resent-cc",        "resent-message-id",     "list-id",         "list-help",
    "list-unsubscribe", "list-unsubscribe-post", "list-subscribe",  "list-post",
    "list-owner",       "list-archive",          "feedback-id",     "cfbl-address",
    "cfbl-feedback-id", "auto-submitted",        "content-language"};

constexpr size_t kLineBytes = 72;

bool may_be_once(std::string_view name) { return std::ranges::find(kOnce, name) != kOnce.end(); }

bool is_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return c > ' ' && c < 0x7F && c != ':' && c != ';';
  });
}

// h=: each field as often as it is there.
std::vector<std::string> fields_to_sign(const FieldIndex& index, const SigningOptions& options) {
  std::vector<std::string> names;
  if (options.fields.empty()) {
    names.assign(kOnce.begin(), kOnce.end());
    names.insert(names.end(), kOthers.begin(), kOthers.end());
  }
  for (const std::string& name : options.fields) {
    const std::string small = lower_ascii(name);
    if (std::ranges::find(names, small) == names.end()) names.push_back(small);
  }
  if (std::ranges::find(names, "from") == names.end()) names.insert(names.begin(), "from");
  std::vector<std::string> all;
  for (const std::string& name : names) {
    const size_t there = index.places(name).size();
    const bool once_more = options.oversign && may_be_once(name);
    all.insert(all.end(), there + (once_more ? 1 : 0), name);
  }
  return all;
}

// RFC 6376 section 2.11.
std::string quoted(std::string_view text) {
  std::string made;
  for (const char c : text) {
    const bool plain = c > ' ' && c < 0x7F && c != ';' && c != '=';
    if (plain) {
      made += c;
    } else {
      made += fmt::format("={:02X}", static_cast<unsigned char>(c));
    }
  }
  return made;
}

// Tags, folded where the next piece would make the line too long.
class Folded {
 public:
  void tag(std::string_view name, std::string_view value) {
    if (any_) {
      text_ += ';';
      ++line_;
    }
    any_ = true;
    piece(fmt::format(" {}={}", name, value));
  }
  // `text` goes on in the value of the last tag, where a fold may stand.
  void more(std::string_view text) { piece(text); }
  const std::string& text() const { return text_; }

 private:
  void piece(std::string_view piece) {
    if (line_ + piece.size() > kLineBytes) {
      if (piece.starts_with(' ')) piece.remove_prefix(1);
      text_ += "\r\n\t";
      line_ = 8;
    }
    text_ += piece;
    line_ += piece.size();
  }

  std::string text_ = "DKIM-Signature:";
  size_t line_ = text_.size();
  bool any_ = false;
};

Result<Signature> checked(const SigningOptions& options, const crypto::SigningKey& key) {
  Signature signature;
  DkimVerdict& verdict = signature.verdict;
  const auto domain = mail_domain(options.domain);
  if (!domain || domain->find('.') == std::string::npos) {
    return fail(Code::bad_input, "is no domain that can sign", options.domain);
  }
  const auto selector = mail_domain(options.selector);
  if (!selector) return fail(Code::bad_input, "is no selector", options.selector);
  if (!options.identity.empty()) {
    const size_t at = options.identity.rfind('@');
    const auto below = at == std::string::npos
                           ? std::nullopt
                           : mail_domain(std::string_view(options.identity).substr(at + 1));
    if (!below || !is_same_or_below(*below, *domain)) {
      return fail(Code::bad_input, "is no address at or below " + *domain, options.identity);
    }
    verdict.identity = options.identity.substr(0, at + 1) + *below;
  }
  for (const std::string& name : options.fields) {
    if (!is_name(name)) return fail(Code::bad_input, "is no name of a field", name);
  }
  if (options.valid && !options.at) {
    return fail(Code::bad_input, "a signature that expires needs the time it is made");
  }
  verdict.domain = *domain;
  verdict.selector = *selector;
  verdict.header = options.header;
  verdict.body = options.body;
  verdict.algorithm = key.kind() == crypto::KeyKind::rsa ? "rsa-sha256" : "ed25519-sha256";
  return signature;
}

int64_t seconds(Time at) {
  return std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
}

std::string as_text(const crypto::Sha256& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// The field up to "b=".
Folded unsigned_field(const DkimVerdict& verdict, const SigningOptions& options,
                      const crypto::Sha256& body) {
  Folded field;
  field.tag("v", "1");
  field.tag("a", verdict.algorithm);
  field.tag("c", fmt::format("{}/{}", name_of(verdict.header), name_of(verdict.body)));
  field.tag("d", verdict.domain);
  field.tag("s", verdict.selector);
  if (!verdict.identity.empty()) field.tag("i", quoted(verdict.identity));
  if (options.at) field.tag("t", std::to_string(seconds(*options.at)));
  if (options.valid) field.tag("x", std::to_string(seconds(*options.at + *options.valid)));
  field.tag("bh", crypto::base64(as_text(body)));
  field.tag("h", verdict.fields.front());
  for (size_t i = 1; i < verdict.fields.size(); ++i) field.more(":" + verdict.fields[i]);
  field.tag("b", "");
  return field;
}

}  // namespace

Result<std::string> sign_dkim(const mime::Message& message, const crypto::SigningKey& key,
                              const SigningOptions& options) {
  auto signature = checked(options, key);
  if (!signature) return fail(signature.error());
  SignedMessage signed_message(message);
  if (signed_message.index().places("from").empty()) {
    return fail(Code::bad_input, "the message has no From, which a signature must cover");
  }
  signature->verdict.fields = fields_to_sign(signed_message.index(), options);
  signed_message.wants(*signature);
  signed_message.hash_body();
  Folded field =
      unsigned_field(signature->verdict, options, signed_message.body_digest(*signature));
  const std::string raw = field.text();
  const mime::Field own{raw, {}, {}};
  signature->field = &own;
  const auto value = key.sign(signed_message.header_digest(*signature));
  if (!value) return fail(value.error());
  const std::string text = crypto::base64(*value);
  constexpr size_t kPiece = 64;
  for (size_t at = 0; at < text.size(); at += kPiece) field.more(text.substr(at, kPiece));
  return field.text() + "\r\n";
}

}  // namespace watchpost::auth
