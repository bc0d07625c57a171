#pragma once
#include "crypto/digest.h"

#include <memory>
#include <string_view>

#include <openssl/types.h>

namespace watchpost::crypto {

// SHA-256 (FIPS 180-4) of bytes that come piece by piece.
//   Use:     add() any number of times, then finish() once.
//   Threads: none inside.
class Sha256Stream {
 public:
  Sha256Stream();
  void add(std::string_view bytes);
  Sha256 finish();

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const;
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

}  // namespace watchpost::crypto
