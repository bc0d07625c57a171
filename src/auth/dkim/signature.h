#pragma once
#include "auth/dkim/canonical_header.h"
#include "auth/dkim/dkim.h"
#include "crypto/public_key.h"
#include "mime/header.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::auth {

// The three fields that are tag lists with a signature in them.
enum class SignatureKind : uint8_t {
  dkim,         // DKIM-Signature, RFC 6376 section 3.5
  arc_message,  // ARC-Message-Signature, RFC 8617 section 4.1.2: i= counts, there is no v=
  arc_seal,     // ARC-Seal, RFC 8617 section 4.1.3: over the sets alone
};

// A signature field, read. Where it may not be used, the verdict says so already; else its result
// is still `none`.
struct Signature {
  DkimVerdict verdict;
  const mime::Field* field = nullptr;
  Gap b_value;  // in field->raw
  crypto::KeyKind kind = crypto::KeyKind::rsa;
  std::string signature;  // b=
  std::string body_hash;  // bh=, 32 bytes
  std::string cv;         // of a seal, in lower case

  bool usable() const { return verdict.result == DkimResult::none; }
};

// Pure and total.
Signature read_signature(const mime::Field& field, SignatureKind kind, const DkimOptions& options);

// All DKIM signatures of a message in its order; those past the limit are refused unread.
std::vector<Signature> signatures_of(const mime::Message& message, const DkimOptions& options);

// verify_dkim() with what signatures_of() gave.
Async<std::vector<DkimVerdict>> verify_signatures(const mime::Message& message,
                                                  std::vector<Signature> signatures,
                                                  dns::Resolver& resolver, dns::Budget& budget,
                                                  DkimOptions options);

}  // namespace watchpost::auth
