#include "auth/dkim/key_check.h"

#include "auth/dkim/key_cache.h"

#include <memory>
#include <utility>

#include <fmt/format.h>

namespace watchpost::auth {
namespace {

// Records at one name that are tried; each may cost a public key operation.
constexpr size_t kMostRecords = 4;
constexpr uint32_t kSmallRsaBits = 2048;

void conclude(DkimVerdict& verdict, DkimResult result, std::string why) {
  verdict.result = result;
  verdict.why = std::move(why);
}

// Why this key may not be used for the signature; empty: it may.
std::string refusal(const Signature& signature, const KeyRecord& record,
                    const DkimOptions& options) {
  if (!record.fault.empty()) return record.fault;
  const DkimVerdict& verdict = signature.verdict;
  if (record.key->kind() != signature.kind) {
    return fmt::format("the key is for {}, the signature {}", name_of(record.key->kind()),
                       verdict.algorithm);
  }
  const uint32_t bits = record.key->bits();
  if (signature.kind == crypto::KeyKind::rsa &&
      (bits < options.least_rsa_bits || bits > options.most_rsa_bits)) {
    return fmt::format("the key has {} bits, and {} to {} are taken", bits, options.least_rsa_bits,
                       options.most_rsa_bits);
  }
  // A seal and an ARC message signature have no identity (RFC 8617 section 4.1).
  if (record.strict && !verdict.identity.empty() &&
      !verdict.identity.ends_with("@" + verdict.domain)) {
    return "the key is not for names below its domain (t=s, i=)";
  }
  return "";
}

void judge(Signature& signature, const KeyRecord& record, const crypto::Sha256& digest,
           const DkimOptions& options) {
  DkimVerdict& verdict = signature.verdict;
  verdict.weaknesses.clear();
  verdict.key_bits = record.key ? record.key->bits() : 0;
  std::string refused = refusal(signature, record, options);
  if (!refused.empty()) return conclude(verdict, DkimResult::permerror, std::move(refused));
  if (record.testing) verdict.weaknesses.push_back(DkimWeakness::testing);
  if (!record.key->verifies(digest, signature.signature)) {
    return conclude(verdict, DkimResult::fail, "the signature does not fit the header");
  }
  if (signature.kind == crypto::KeyKind::rsa && verdict.key_bits < kSmallRsaBits) {
    verdict.weaknesses.push_back(DkimWeakness::small_key);
  }
  conclude(verdict, DkimResult::pass, "");
}

std::shared_ptr<const KeyRecord> read(const std::string& text, const DkimOptions& options) {
  if (options.keys != nullptr) return options.keys->record(text);
  return std::make_shared<const KeyRecord>(KeyRecord::read(text));
}

void judge_with(Signature& signature, const dns::Answer& answer, const crypto::Sha256& digest,
                const DkimOptions& options) {
  DkimVerdict& verdict = signature.verdict;
  verdict.authentic = answer.authentic;
  size_t tried = 0;
  std::string fault = "there is no key at the selector's name";
  for (const std::string& text : answer.texts) {
    const auto record = read(text, options);
    if (!record->is_key) {
      fault = record->fault;
      continue;
    }
    DkimVerdict before = verdict;
    judge(signature, *record, digest, options);
    if (verdict.passed() || ++tried == kMostRecords) return;
    // What the first of them said is kept, unless another one passes.
    if (tried > 1) verdict = std::move(before);
  }
  if (tried == 0) conclude(verdict, DkimResult::permerror, std::move(fault));
}

}  // namespace

Async<Done> check_with_key(Signature& signature, crypto::Sha256 digest, dns::Resolver& resolver,
                           dns::Budget& budget, DkimOptions options) {
  DkimVerdict& verdict = signature.verdict;
  const dns::AnswerPtr answer = co_await resolver.look_up(
      verdict.selector + "._domainkey." + verdict.domain, dns::RecordType::txt, budget);
  switch (answer->outcome) {
    case dns::Outcome::found: judge_with(signature, *answer, digest, options); break;
    case dns::Outcome::failed:
      conclude(verdict, DkimResult::temperror, "the key could not be fetched: " + answer->why);
      break;
    case dns::Outcome::no_data:
    case dns::Outcome::no_such_name:
      conclude(verdict, DkimResult::permerror, "there is no key at the selector's name");
      break;
  }
  co_return Done{};
}

}  // namespace watchpost::auth
