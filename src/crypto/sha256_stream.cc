#include "crypto/sha256_stream.h"

#include "base/result.h"

#include <openssl/evp.h>

namespace watchpost::crypto {
namespace {

// Looked up once: EVP_sha256() looks its implementation up for each digest. It lives as long as the
// program.
const EVP_MD* sha256_method() {
  static const EVP_MD* const kMethod = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return kMethod;
}

}  // namespace

void Sha256Stream::Free::operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }

Sha256Stream::Sha256Stream() : context_(EVP_MD_CTX_new()) {
  WP_CHECK(context_ != nullptr);
  WP_CHECK(EVP_DigestInit_ex2(context_.get(), sha256_method(), nullptr) == 1);
}

void Sha256Stream::add(std::string_view bytes) {
  WP_CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

Sha256 Sha256Stream::finish() {
  Sha256 digest{};
  unsigned int length = 0;
  WP_CHECK(EVP_DigestFinal_ex(context_.get(), digest.data(), &length) == 1);
  return digest;
}

}  // namespace watchpost::crypto
