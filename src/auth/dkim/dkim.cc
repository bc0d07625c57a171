#include "auth/dkim/dkim.h"

#include "auth/dkim/key_check.h"
#include "auth/dkim/signature.h"
#include "auth/dkim/signed_message.h"
#include "base/ascii.h"

#include <algorithm>
#include <array>

namespace watchpost::auth {
namespace {

constexpr std::array<std::string_view, 7> kResults{"none",    "pass",      "fail",     "policy",
                                                   "neutral", "temperror", "permerror"};
constexpr std::array<std::string_view, 5> kWeaknesses{"body_length", "doubled_field", "small_key",
                                                      "testing", "future"};

std::vector<DkimVerdict> verdicts_of(std::vector<Signature> signatures) {
  std::vector<DkimVerdict> verdicts;
  verdicts.reserve(signatures.size());
  for (Signature& signature : signatures) verdicts.push_back(std::move(signature.verdict));
  return verdicts;
}

// How much is known with a result: the best of several is the message's.
int rank(DkimResult result) {
  switch (result) {
    case DkimResult::pass: return 6;
    case DkimResult::temperror: return 5;
    case DkimResult::fail: return 4;
    case DkimResult::policy: return 3;
    case DkimResult::permerror: return 2;
    case DkimResult::neutral: return 1;
    case DkimResult::none: break;
  }
  return 0;
}

}  // namespace

std::string_view name_of(DkimResult result) { return kResults[static_cast<size_t>(result)]; }
std::string_view name_of(DkimWeakness weakness) {
  return kWeaknesses[static_cast<size_t>(weakness)];
}
std::string_view name_of(Canonicalisation how) {
  return how == Canonicalisation::simple ? "simple" : "relaxed";
}

bool DkimVerdict::has(DkimWeakness weakness) const {
  return std::ranges::find(weaknesses, weakness) != weaknesses.end();
}

std::vector<Signature> signatures_of(const mime::Message& message, const DkimOptions& options) {
  std::vector<Signature> found;
  const auto fields = message.header().fields();
  for (size_t place = 0; place < fields.size(); ++place) {
    if (!equal_nocase(fields[place].name, "dkim-signature")) continue;
    if (found.size() < options.most_signatures) {
      found.push_back(read_signature(fields[place], SignatureKind::dkim, options));
    } else {
      found.emplace_back();
      found.back().verdict.result = DkimResult::neutral;
      found.back().verdict.why = "not looked at: the message has too many signatures";
    }
    found.back().verdict.field_index = static_cast<uint32_t>(place);
  }
  return found;
}

Async<std::vector<DkimVerdict>> verify_dkim(const mime::Message& message, dns::Resolver& resolver,
                                            dns::Budget& budget, DkimOptions options) {
  return verify_signatures(message, signatures_of(message, options), resolver, budget, options);
}

Async<std::vector<DkimVerdict>> verify_signatures(const mime::Message& message,
                                                  std::vector<Signature> signatures,
                                                  dns::Resolver& resolver, dns::Budget& budget,
                                                  DkimOptions options) {
  if (signatures.empty()) co_return std::vector<DkimVerdict>();
  SignedMessage signed_message(message);
  for (Signature& signature : signatures) {
    if (signature.usable()) signed_message.wants(signature);
  }
  signed_message.hash_body();
  for (Signature& signature : signatures) {
    if (!signature.usable()) continue;
    signed_message.check_body(signature);
    if (!signature.usable()) continue;
    const crypto::Sha256 digest = signed_message.header_digest(signature);
    co_await check_with_key(signature, digest, resolver, budget, options);
    if (signature.verdict.passed()) signed_message.add_weaknesses(signature.verdict, options);
  }
  co_return verdicts_of(std::move(signatures));
}

DkimResult overall(std::span<const DkimVerdict> verdicts) {
  DkimResult best = DkimResult::none;
  for (const DkimVerdict& verdict : verdicts) {
    if (rank(verdict.result) > rank(best)) best = verdict.result;
  }
  return best;
}

}  // namespace watchpost::auth
