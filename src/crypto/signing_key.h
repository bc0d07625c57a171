#pragma once
#include "base/result.h"
#include "crypto/public_key.h"

#include <memory>
#include <string>
#include <string_view>

#include <openssl/types.h>

namespace watchpost::crypto {

// A private key for signatures.
//   Threads: any; immutable.
//   Owns:    the key, shared between copies.
class SigningKey {
 public:
  // PEM, not encrypted: PKCS #8 ("PRIVATE KEY") or PKCS #1 ("RSA PRIVATE KEY"). RSA of 1024 to 8192
  // bits, or Ed25519. `about` is named in errors: the file.
  static Result<SigningKey> from_pem(std::string_view pem, std::string about);

  KeyKind kind() const { return kind_; }
  uint32_t bits() const { return bits_; }

  // As PublicKey::verifies() reads it.
  Result<std::string> sign(const Sha256& digest) const;
  // The public half in base64, as p= of a DKIM key record has it: a SubjectPublicKeyInfo for RSA,
  // 32 bytes for Ed25519.
  std::string public_base64() const;

 private:
  SigningKey(KeyKind kind, uint32_t bits, std::shared_ptr<EVP_PKEY> key);

  KeyKind kind_;
  uint32_t bits_;
  std::shared_ptr<EVP_PKEY> key_;
};

}  // namespace watchpost::crypto
