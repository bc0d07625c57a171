#include "crypto/public_key.h"

#include "base/result.h"
#include "crypto/rsa_numbers.h"

#include <mutex>
#include <utility>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

namespace watchpost::crypto {
namespace {

constexpr uint32_t kMostBits = 16'384;
constexpr size_t kMostExponentBytes = 8;
constexpr size_t kEd25519Bytes = 32;

template <auto kFree>
struct Freed {
  template <class T>
  void operator()(T* some) const {
    kFree(some);
  }
};
using Number = std::unique_ptr<BIGNUM, Freed<BN_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using ParameterBuild = std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM_free>>;

const unsigned char* unsigned_bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

bool is_odd(std::string_view number) { return (static_cast<uint8_t>(number.back()) & 1) != 0; }

// CVE rule C10: what is refused here never reaches a modular exponentiation.
bool can_be_key(const RsaNumbers& numbers) {
  if (numbers.modulus.size() > kMostBits / 8 || !is_odd(numbers.modulus)) return false;
  const bool is_one = numbers.exponent == "\x01";
  return numbers.exponent.size() <= kMostExponentBytes && is_odd(numbers.exponent) && !is_one;
}

Number number_of(std::string_view bytes) {
  Number number(BN_bin2bn(unsigned_bytes(bytes), static_cast<int>(bytes.size()), nullptr));
  WP_CHECK(number != nullptr);
  return number;
}

Parameters parameters_of(const RsaNumbers& numbers) {
  const Number modulus = number_of(numbers.modulus), exponent = number_of(numbers.exponent);
  const ParameterBuild build(OSSL_PARAM_BLD_new());
  WP_CHECK(build != nullptr);
  WP_CHECK(OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) == 1);
  WP_CHECK(OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) == 1);
  return Parameters(OSSL_PARAM_BLD_to_param(build.get()));
}

std::shared_ptr<EVP_PKEY> owned(EVP_PKEY* key) {
  // What OpenSSL found wrong with a key of somebody else's is nobody's error.
  if (key == nullptr) ERR_clear_error();
  return {key, [](EVP_PKEY* some) { EVP_PKEY_free(some); }};
}

KeyContext rsa_context(EVP_PKEY* key) {
  KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  if (context == nullptr || EVP_PKEY_verify_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) != 1 ||
      EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) != 1) {
    return nullptr;
  }
  return context;
}

bool rsa_verifies(EVP_PKEY_CTX* context, const Sha256& digest, std::string_view signature) {
  return context != nullptr && EVP_PKEY_verify(context, unsigned_bytes(signature), signature.size(),
                                               digest.data(), digest.size()) == 1;
}

bool ed25519_verifies(EVP_PKEY* key, const Sha256& digest, std::string_view signature) {
  const DigestContext context(EVP_MD_CTX_new());
  if (context == nullptr ||
      EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key) != 1) {
    return false;
  }
  return EVP_DigestVerify(context.get(), unsigned_bytes(signature), signature.size(), digest.data(),
                          digest.size()) == 1;
}

}  // namespace

std::string_view name_of(KeyKind kind) { return kind == KeyKind::rsa ? "rsa" : "ed25519"; }

// Preparing costs a third of a verification. A context serves one thread at a time: whoever finds
// it taken makes one of their own.
struct PublicKey::Prepared {
  std::mutex mutex;
  KeyContext context;
};

PublicKey::PublicKey(KeyKind kind, uint32_t bits, std::shared_ptr<EVP_PKEY> key)
    : kind_(kind), bits_(bits), key_(std::move(key)) {
  if (kind_ != KeyKind::rsa) return;
  prepared_ = std::make_shared<Prepared>();
  prepared_->context = rsa_context(key_.get());
}

std::optional<PublicKey> PublicKey::rsa(std::string_view der) {
  const auto numbers = rsa_numbers(der);
  if (!numbers || !can_be_key(*numbers)) return std::nullopt;
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  if (context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1) return std::nullopt;
  const Parameters parameters = parameters_of(*numbers);
  EVP_PKEY* made = nullptr;
  const int done = EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters.get());
  auto key = owned(made);
  if (done != 1 || key == nullptr) return std::nullopt;
  return PublicKey(KeyKind::rsa, numbers->modulus_bits(), std::move(key));
}

std::optional<PublicKey> PublicKey::ed25519(std::string_view raw) {
  if (raw.size() != kEd25519Bytes) return std::nullopt;
  auto key = owned(
      EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, unsigned_bytes(raw), raw.size()));
  if (key == nullptr) return std::nullopt;
  return PublicKey(KeyKind::ed25519, kEd25519Bytes * 8, std::move(key));
}

bool PublicKey::verifies(const Sha256& digest, std::string_view signature) const {
  bool fits = false;
  if (kind_ == KeyKind::ed25519) {
    fits = ed25519_verifies(key_.get(), digest, signature);
  } else if (const std::unique_lock lock(prepared_->mutex, std::try_to_lock); lock) {
    fits = rsa_verifies(prepared_->context.get(), digest, signature);
  } else {
    fits = rsa_verifies(rsa_context(key_.get()).get(), digest, signature);
  }
  if (!fits) ERR_clear_error();
  return fits;
}

}  // namespace watchpost::crypto
