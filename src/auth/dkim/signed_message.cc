#include "auth/dkim/signed_message.h"

#include "base/ascii.h"

#include <algorithm>
#include <string_view>

namespace watchpost::auth {
namespace {

// Fields that may be there once and that people see, or that decide what they see.
constexpr std::array<std::string_view, 13> kShownOnce{"from",
                                                      "sender",
                                                      "reply-to",
                                                      "to",
                                                      "cc",
                                                      "subject",
                                                      "date",
                                                      "message-id",
                                                      "mime-version",
                                                      "content-id",
                                                      "content-type",
                                                      "content-transfer-encoding",
                                                      "content-disposition"};

std::string_view as_text(const crypto::Sha256& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace

SignedMessage::SignedMessage(const mime::Message& message)
    : message_(message), index_(message.header().fields()) {}

CanonicalBody* SignedMessage::body_of(Canonicalisation how) {
  auto& body = bodies_[static_cast<size_t>(how)];
  if (!body) body.emplace(how);
  return &*body;
}

void SignedMessage::wants(Signature& signature) {
  CanonicalBody* const body = body_of(signature.verdict.body);
  if (body->has_room_for(signature.verdict.body_length)) {
    body->want(signature.verdict.body_length);
    return;
  }
  signature.verdict.result = DkimResult::neutral;
  signature.verdict.why = "not looked at: the message has too many signatures with l=";
}

void SignedMessage::hash_body() {
  for (auto& body : bodies_) {
    if (!body) continue;
    body->add(message_.root().body);
    body->finish();
  }
}

const crypto::Sha256& SignedMessage::body_digest(const Signature& signature) {
  CanonicalBody* const body = body_of(signature.verdict.body);
  return body->digest(body->want(signature.verdict.body_length));
}

void SignedMessage::check_body(Signature& signature) {
  DkimVerdict& verdict = signature.verdict;
  if (verdict.body_length) {
    const uint64_t size = body_of(verdict.body)->size();
    if (*verdict.body_length > size) {
      // RFC 6376 section 3.5: it must not be larger.
      verdict.result = DkimResult::permerror;
      verdict.why = "the signature covers more than the body has (l=)";
      return;
    }
    verdict.unsigned_bytes = size - *verdict.body_length;
  }
  if (signature.body_hash != as_text(body_digest(signature))) {
    verdict.result = DkimResult::fail;
    verdict.why = "the body is not what was signed";
  }
}

crypto::Sha256 SignedMessage::header_digest(const Signature& signature) {
  const Canonicalisation how = signature.verdict.header;
  text_.clear();
  FieldChoice choice(index_);
  for (const std::string& name : signature.verdict.fields) {
    const mime::Field* const field = choice.next(name);
    // RFC 6376 section 5.4: a field that is not there counts as nothing at all.
    if (field == nullptr || field == signature.field) continue;
    append_canonical(text_, field->raw, how);
    text_ += "\r\n";
  }
  append_canonical(text_, signature.field->raw, how, signature.b_value);
  crypto::Sha256Stream stream;
  stream.add(text_);
  return stream.finish();
}

void SignedMessage::add_weaknesses(DkimVerdict& verdict, const DkimOptions& options) const {
  // RFC 6376 section 3.5 leaves it open whether to refuse these.
  if (verdict.signed_at && *verdict.signed_at > options.now + options.clock_skew) {
    verdict.weaknesses.push_back(DkimWeakness::future);
  }
  if (verdict.body_length) verdict.weaknesses.push_back(DkimWeakness::body_length);
  if (!message_.findings().has(mime::Defect::doubled_field)) return;
  for (const std::string_view name : kShownOnce) {
    const size_t there = index_.places(name).size();
    if (there < 2) continue;
    const auto covered = static_cast<size_t>(std::ranges::count(verdict.fields, name));
    if (covered >= there) continue;
    verdict.weaknesses.push_back(DkimWeakness::doubled_field);
    return;
  }
}

}  // namespace watchpost::auth
