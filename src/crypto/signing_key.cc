#include "crypto/signing_key.h"

#include "crypto/base64.h"

#include <utility>

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

namespace watchpost::crypto {
namespace {

constexpr uint32_t kLeastBits = 1024, kMostBits = 8192;
constexpr size_t kLongestPem = 64 * 1024;

std::string as_text(const unsigned char* bytes, size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

// A key that wants a password is refused: nobody is there to type one.
int no_password(char*, int, int, void*) { return -1; }

std::shared_ptr<EVP_PKEY> read(std::string_view pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bytes(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  if (bytes == nullptr) return nullptr;
  EVP_PKEY* const key = PEM_read_bio_PrivateKey(bytes.get(), nullptr, no_password, nullptr);
  if (key == nullptr) {
    ERR_clear_error();
    return nullptr;
  }
  return {key, [](EVP_PKEY* some) { EVP_PKEY_free(some); }};
}

std::unexpected<Error> cannot_sign() {
  ERR_clear_error();
  return fail(Code::internal, "OpenSSL could not sign with this key");
}

Result<std::string> rsa_signature(EVP_PKEY* key, const Sha256& digest) {
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr), EVP_PKEY_CTX_free);
  if (context == nullptr || EVP_PKEY_sign_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) != 1 ||
      EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) != 1) {
    return cannot_sign();
  }
  size_t size = static_cast<size_t>(EVP_PKEY_get_size(key));
  std::string signature(size, '\0');
  if (EVP_PKEY_sign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                    digest.data(), digest.size()) != 1) {
    return cannot_sign();
  }
  signature.resize(size);
  return signature;
}

Result<std::string> ed25519_signature(EVP_PKEY* key, const Sha256& digest) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  std::string signature(64, '\0');
  size_t size = signature.size();
  if (context == nullptr ||
      EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     digest.data(), digest.size()) != 1) {
    return cannot_sign();
  }
  signature.resize(size);
  return signature;
}

}  // namespace

SigningKey::SigningKey(KeyKind kind, uint32_t bits, std::shared_ptr<EVP_PKEY> key)
    : kind_(kind), bits_(bits), key_(std::move(key)) {}

Result<SigningKey> SigningKey::from_pem(std::string_view pem, std::string about) {
  if (pem.size() > kLongestPem) return fail(Code::bad_input, "is too long for a key", about);
  auto key = read(pem);
  if (key == nullptr) {
    return fail(Code::bad_input,
                "holds no private key that can be read: PEM without a password is wanted", about);
  }
  const auto bits = static_cast<uint32_t>(EVP_PKEY_get_bits(key.get()));
  if (EVP_PKEY_is_a(key.get(), "ED25519") == 1) {
    return SigningKey(KeyKind::ed25519, 256, std::move(key));
  }
  if (EVP_PKEY_is_a(key.get(), "RSA") != 1) {
    return fail(Code::bad_input, "is a key of another kind: RSA or Ed25519 is wanted", about);
  }
  if (bits < kLeastBits || bits > kMostBits) {
    return fail(
        Code::bad_input,
        fmt::format("is an RSA key of {} bits: {} to {} are allowed", bits, kLeastBits, kMostBits),
        about);
  }
  return SigningKey(KeyKind::rsa, bits, std::move(key));
}

Result<std::string> SigningKey::sign(const Sha256& digest) const {
  return kind_ == KeyKind::rsa ? rsa_signature(key_.get(), digest)
                               : ed25519_signature(key_.get(), digest);
}

std::string SigningKey::public_base64() const {
  if (kind_ == KeyKind::ed25519) {
    std::array<unsigned char, 32> raw{};
    size_t size = raw.size();
    WP_CHECK(EVP_PKEY_get_raw_public_key(key_.get(), raw.data(), &size) == 1);
    return base64(as_text(raw.data(), size));
  }
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key_.get(), &der);
  WP_CHECK(size > 0);
  const std::unique_ptr<unsigned char, void (*)(unsigned char*)> owner(
      der, [](unsigned char* some) { OPENSSL_free(some); });
  return base64(as_text(der, static_cast<size_t>(size)));
}

}  // namespace watchpost::crypto
