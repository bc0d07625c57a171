#pragma once
#include "crypto/digest.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include <openssl/types.h>

namespace watchpost::crypto {

enum class KeyKind : uint8_t { rsa, ed25519 };
std::string_view name_of(KeyKind kind);  // "rsa"

// A public key, taken apart once and used many times.
//   Threads: any; immutable.
//   Owns:    the key, shared between copies.
class PublicKey {
 public:
  // The DER of a SubjectPublicKeyInfo (RFC 5280) or of a bare RSAPublicKey (RFC 8017 appendix
  // A.1.1): both are published for DKIM. Nothing where it is neither, or has numbers that no key
  // has: a modulus of over 16384 bits or an even one, an exponent of over 64 bits, an even one or
  // 1. Nothing is computed with it here.
  static std::optional<PublicKey> rsa(std::string_view der);
  // 32 bytes (RFC 8032 section 5.1.5).
  static std::optional<PublicKey> ed25519(std::string_view raw);

  KeyKind kind() const { return kind_; }
  uint32_t bits() const { return bits_; }

  // Whether `signature` was made over this digest: RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017
  // section 8.2), or Ed25519 over the digest as the message (RFC 8463 section 3).
  bool verifies(const Sha256& digest, std::string_view signature) const;

 private:
  struct Prepared;
  PublicKey(KeyKind kind, uint32_t bits, std::shared_ptr<EVP_PKEY> key);

  KeyKind kind_;
  uint32_t bits_;
  std::shared_ptr<EVP_PKEY> key_;
  std::shared_ptr<Prepared> prepared_;  // of RSA: what one verification after another can use
};

}  // namespace watchpost::crypto
