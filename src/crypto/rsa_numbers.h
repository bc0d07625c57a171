#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace watchpost::crypto {

// The two numbers of a public RSA key, big-endian without leading zeros. Views into the DER.
struct RsaNumbers {
  std::string_view modulus;
  std::string_view exponent;

  uint32_t modulus_bits() const;
};

// Finds them in a SubjectPublicKeyInfo whose algorithm is rsaEncryption (RFC 3279 section 2.3.1) or
// in a bare RSAPublicKey. Total. Nothing where the bytes are neither; what stands behind the key is
// no part of it and makes it none.
std::optional<RsaNumbers> rsa_numbers(std::string_view der);

}  // namespace watchpost::crypto
