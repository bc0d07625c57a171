#include "auth/arc/arc.h"

#include "auth/arc/arc_sets.h"
#include "auth/dkim/key_check.h"
#include "auth/dkim/signed_message.h"
#include "crypto/sha256_stream.h"

#include <array>
#include <optional>
#include <ranges>
#include <utility>

#include <fmt/format.h>

namespace watchpost::auth {
namespace {

constexpr std::array<std::string_view, 4> kResults{"none", "pass", "fail", "temperror"};

// What the seals were made over: all sets up to theirs, each field relaxed, their own seal without
// its signature (RFC 8617 section 5.1.1).
class SealedText {
 public:
  explicit SealedText(const std::vector<ArcFields>& sets) {
    for (const ArcFields& one : sets) {
      append(*one.results);
      append(*one.message->field);
      before_seal_.push_back(text_.size());
      append(*one.seal->field);
    }
  }

  crypto::Sha256 digest(const Signature& seal, size_t place) const {
    std::string own;
    append_canonical(own, seal.field->raw, Canonicalisation::relaxed, seal.b_value);
    crypto::Sha256Stream stream;
    stream.add(std::string_view(text_).substr(0, before_seal_[place]));
    stream.add(own);
    return stream.finish();
  }

 private:
  void append(const mime::Field& field) {
    append_canonical(text_, field.raw, Canonicalisation::relaxed);
    text_ += "\r\n";
  }

  std::string text_;
  std::vector<size_t> before_seal_;
};

std::vector<ArcSet> shown(std::vector<ArcFields> sets) {
  std::vector<ArcSet> all;
  for (ArcFields& one : sets) {
    ArcSet& set = all.emplace_back();
    set.instance = static_cast<uint32_t>(all.size());
    set.authentication_results = std::move(one.authentication_results);
    if (one.message) set.message = std::move(one.message->verdict);
    if (!one.seal) continue;
    set.cv = std::move(one.seal->cv);
    set.seal = std::move(one.seal->verdict);
  }
  return all;
}

// One verification of one chain.
class Check {
 public:
  Check(const mime::Message& message, ArcSets found, dns::Resolver& resolver, dns::Budget& budget,
        DkimOptions options)
      : sets_(std::move(found.sets)),
        resolver_(resolver),
        budget_(budget),
        options_(options),
        message_(message) {}

  Async<ArcVerdict> run() {
    // The last one first: it is the one that counts.
    for (ArcFields& one : std::views::reverse(sets_)) {
      if (one.message->usable()) message_.wants(*one.message);
    }
    message_.hash_body();
    co_await check_message(sets_.size() - 1);
    if (result_ != ArcResult::fail) co_await check_seals();
    if (result_ == ArcResult::pass) co_await check_older_messages();
    co_return verdict();
  }

 private:
  void conclude(const DkimVerdict& verdict, std::string_view what, size_t place) {
    if (verdict.passed() || result_ == ArcResult::fail) return;
    const bool unknown = verdict.result == DkimResult::temperror;
    if (unknown && result_ == ArcResult::temperror) return;
    result_ = unknown ? ArcResult::temperror : ArcResult::fail;
    why_ = fmt::format("the {} of set {}: {}", what, place + 1, verdict.why);
  }

  Async<Done> hold(size_t place) {
    Signature& signature = *sets_[place].message;
    if (!signature.usable()) co_return Done{};
    message_.check_body(signature);
    if (!signature.usable()) co_return Done{};
    const crypto::Sha256 digest = message_.header_digest(signature);
    co_await check_with_key(signature, digest, resolver_, budget_, options_);
    if (signature.verdict.passed()) message_.add_weaknesses(signature.verdict, options_);
    co_return Done{};
  }

  Async<Done> check_message(size_t place) {
    co_await hold(place);
    conclude(sets_[place].message->verdict, "message signature", place);
    co_return Done{};
  }

  // The last one first, as RFC 8617 section 5.2 step 6 has it.
  Async<Done> check_seals() {
    const SealedText text(sets_);
    for (size_t place = sets_.size(); place-- > 0 && result_ != ArcResult::fail;) {
      Signature& seal = *sets_[place].seal;
      if (seal.usable()) {
        const crypto::Sha256 digest = text.digest(seal, place);
        co_await check_with_key(seal, digest, resolver_, budget_, options_);
      }
      conclude(seal.verdict, "seal", place);
    }
    co_return Done{};
  }

  // Says how old the text is that is here now; no part of the chain's result.
  Async<Done> check_older_messages() {
    for (size_t place = sets_.size() - 1; place-- > 0;) {
      co_await hold(place);
      if (sets_[place].message->verdict.passed()) continue;
      oldest_pass_ = static_cast<uint32_t>(place + 2);
      break;
    }
    co_return Done{};
  }

  ArcVerdict verdict() {
    ArcVerdict verdict;
    verdict.result = result_;
    verdict.why = std::move(why_);
    verdict.oldest_pass = oldest_pass_;
    verdict.sets = shown(std::move(sets_));
    return verdict;
  }

  std::vector<ArcFields> sets_;
  dns::Resolver& resolver_;
  dns::Budget& budget_;
  DkimOptions options_;
  SignedMessage message_;
  ArcResult result_ = ArcResult::pass;
  std::string why_;
  uint32_t oldest_pass_ = 0;
};

}  // namespace

std::string_view name_of(ArcResult result) { return kResults[static_cast<size_t>(result)]; }

Async<ArcVerdict> verify_arc(const mime::Message& message, dns::Resolver& resolver,
                             dns::Budget& budget, DkimOptions options) {
  ArcSets found = read_arc_sets(message, options);
  ArcVerdict verdict;
  if (found.sets.empty() && found.fault.empty()) co_return verdict;
  if (!found.fault.empty()) {
    verdict.result = ArcResult::fail;
    verdict.why = std::move(found.fault);
    verdict.sets = shown(std::move(found.sets));
    co_return verdict;
  }
  Check check(message, std::move(found), resolver, budget, options);
  co_return co_await check.run();
}

}  // namespace watchpost::auth
