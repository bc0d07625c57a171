#pragma once
#include "crypto/signing_key.h"

#include <string>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

namespace watchpost::crypto {

// Keys for tests, made anew in each run.

inline std::string pem_of(EVP_PKEY* key) {
  BIO* const bytes = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bytes, key, nullptr, nullptr, 0, nullptr, nullptr);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bytes, &text);
  std::string pem(text, static_cast<size_t>(size));
  BIO_free(bytes);
  EVP_PKEY_free(key);
  return pem;
}

inline std::string new_rsa_pem(size_t bits, uint64_t exponent = 65537) {
  EVP_PKEY_CTX* const context = EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr);
  BIGNUM* const number = BN_new();
  BN_set_word(number, exponent);
  EVP_PKEY* key = nullptr;
  EVP_PKEY_keygen_init(context);
  EVP_PKEY_CTX_set_rsa_keygen_bits(context, static_cast<int>(bits));
  EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context, number);
  EVP_PKEY_keygen(context, &key);
  BN_free(number);
  EVP_PKEY_CTX_free(context);
  return pem_of(key);
}

inline std::string new_ed25519_pem() {
  return pem_of(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
}

inline SigningKey key_of(const std::string& pem) { return *SigningKey::from_pem(pem, "test key"); }

// The DER of a bare RSAPublicKey with these numbers, whatever they are.
inline std::string rsa_der(std::string modulus, std::string exponent) {
  const auto element = [](char tag, const std::string& inside) {
    std::string size;
    for (size_t left = inside.size(); left > 0; left >>= 8) {
      size.insert(size.begin(), static_cast<char>(left & 0xFF));
    }
    const bool shorter = inside.size() < 0x80;
    const std::string length = shorter ? std::string(1, static_cast<char>(inside.size()))
                                       : static_cast<char>(0x80 | size.size()) + size;
    return tag + length + inside;
  };
  const auto integer = [&](std::string number) {
    if (static_cast<unsigned char>(number.front()) >= 0x80) number.insert(0, 1, '\0');
    return element('\x02', number);
  };
  return element('\x30', integer(std::move(modulus)) + integer(std::move(exponent)));
}

}  // namespace watchpost::crypto
