#include "crypto/public_key.h"

#include "crypto/base64.h"
#include "crypto/rsa_numbers.h"
#include "crypto/sha256_stream.h"
#include "crypto/test_keys.h"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace watchpost::crypto {
namespace {

std::string modulus(size_t bytes) {
  std::string number(bytes, '\xA5');
  number.back() = '\x01';
  return number;
}

const SigningKey& rsa_key() {
  static const SigningKey kKey = key_of(new_rsa_pem(2048));
  return kKey;
}

std::string public_der(const SigningKey& key) { return *from_base64(key.public_base64()); }

TEST(Sha256Stream, IsTheSameInPieces) {
  const std::string text(1000, 'x');
  for (const size_t piece : {1u, 7u, 64u, 999u}) {
    Sha256Stream stream;
    for (size_t at = 0; at < text.size(); at += piece)
      stream.add(std::string_view(text).substr(at, piece));
    EXPECT_EQ(stream.finish(), sha256(text));
  }
}

TEST(PublicKey, VerifiesWhatTheKeySigned) {
  for (const SigningKey& key : {rsa_key(), key_of(new_ed25519_pem())}) {
    const Sha256 digest = sha256("some text"), other = sha256("other text");
    const std::string signature = *key.sign(digest);
    const bool rsa = key.kind() == KeyKind::rsa;
    const auto found = rsa ? PublicKey::rsa(public_der(key)) : PublicKey::ed25519(public_der(key));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->bits(), rsa ? 2048u : 256u);
    EXPECT_TRUE(found->verifies(digest, signature));
    EXPECT_TRUE(found->verifies(digest, signature)) << "the same key, used again";
    EXPECT_FALSE(found->verifies(other, signature));
    EXPECT_FALSE(found->verifies(digest, signature.substr(1)));
    EXPECT_FALSE(found->verifies(digest, ""));
    EXPECT_FALSE(found->verifies(digest, std::string(signature.size(), '\0')));
    EXPECT_TRUE(found->verifies(digest, signature)) << "after failures";
  }
}

TEST(PublicKey, ServesManyThreads) {
  const auto key = PublicKey::rsa(public_der(rsa_key()));
  const Sha256 digest = sha256("some text");
  const std::string signature = *rsa_key().sign(digest);
  std::vector<int> right(4, 0);
  std::vector<std::thread> threads;
  for (int& count : right) {
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) count += key->verifies(digest, signature) ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, std::vector<int>(4, 100));
}

TEST(PublicKey, BareRsaKeysAreRead) {
  const std::string wrapped = public_der(rsa_key());
  const auto numbers = rsa_numbers(wrapped);
  ASSERT_TRUE(numbers);
  const auto bare =
      PublicKey::rsa(rsa_der(std::string(numbers->modulus), std::string(numbers->exponent)));
  ASSERT_TRUE(bare);
  const Sha256 digest = sha256("some text");
  EXPECT_TRUE(bare->verifies(digest, *rsa_key().sign(digest)));
}

TEST(PublicKey, BitsAreThoseOfTheModulus) {
  EXPECT_EQ(PublicKey::rsa(rsa_der(modulus(64), "\x03"))->bits(), 512u);
  std::string of_1023_bits = modulus(128);
  of_1023_bits.front() = '\x7F';
  EXPECT_EQ(PublicKey::rsa(rsa_der(of_1023_bits, "\x01\x01"))->bits(), 1023u);
  EXPECT_EQ(PublicKey::rsa(rsa_der(modulus(2048), "\x03"))->bits(), 16'384u);
}

// Attack row S-06, rule C10: none of these reaches a modular exponentiation.
TEST(PublicKey, S06NumbersThatNoKeyHasAreRefused) {
  using namespace std::string_literals;
  EXPECT_FALSE(PublicKey::rsa(rsa_der(modulus(2049), "\x03"))) << "over 16384 bits";
  EXPECT_FALSE(PublicKey::rsa(rsa_der(modulus(256), "\x01"))) << "an exponent of 1";
  EXPECT_FALSE(PublicKey::rsa(rsa_der(modulus(256), "\x02"))) << "an even exponent";
  EXPECT_FALSE(PublicKey::rsa(rsa_der(modulus(256), "\x01"s + std::string(7, '\0') + "\x01\x01"s)))
      << "an exponent of over 64 bits";
  EXPECT_TRUE(PublicKey::rsa(rsa_der(modulus(256), "\x01"s + std::string(6, '\0') + "\x01"s)));
  EXPECT_FALSE(PublicKey::rsa(rsa_der(modulus(256) + '\0', "\x03"))) << "an even modulus";
  EXPECT_FALSE(PublicKey::rsa(rsa_der(std::string(1, '\0'), "\x03"))) << "nothing";
}

TEST(PublicKey, CutAndLyingDerIsRefused) {
  const std::string der = public_der(rsa_key());
  for (size_t size = 0; size < der.size(); ++size) {
    EXPECT_FALSE(PublicKey::rsa(der.substr(0, size))) << size;
  }
  EXPECT_FALSE(PublicKey::rsa(der + '\0'));
  for (size_t at = 0; at < 30; ++at) {
    std::string changed = der;
    changed[at] = static_cast<char>(changed[at] ^ 0x41);
    EXPECT_FALSE(PublicKey::rsa(changed)) << at;
  }
  EXPECT_FALSE(PublicKey::ed25519(std::string(31, 'a')));
  EXPECT_FALSE(PublicKey::ed25519(std::string(44, 'a')));
}

TEST(SigningKey, RefusesWhatCannotSign) {
  EXPECT_EQ(SigningKey::from_pem("no key at all", "a.pem").error().about, "a.pem");
  EXPECT_EQ(SigningKey::from_pem(new_rsa_pem(512), "a.pem").error().code, Code::bad_input);
  EVP_PKEY* const curve = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
  EXPECT_EQ(SigningKey::from_pem(pem_of(curve), "a.pem").error().code, Code::bad_input);
}

}  // namespace
}  // namespace watchpost::crypto
