#pragma once
#include "auth/dkim/canonical_body.h"
#include "auth/dkim/canonical_header.h"
#include "auth/dkim/signature.h"
#include "crypto/digest.h"
#include "mime/message.h"

#include <array>
#include <optional>
#include <string>

namespace watchpost::auth {

// A message as its signatures see it: what several of them cover is hashed once.
//   Use:     wants() for each signature that is to be looked at, hash_body() once, then the rest.
//   Owns:    no bytes of the message.
//   Threads: none inside.
class SignedMessage {
 public:
  explicit SignedMessage(const mime::Message& message);

  const FieldIndex& index() const { return index_; }

  // Refuses a signature where the message's others have asked for too many different l= already:
  // each one costs a digest of the body.
  void wants(Signature& signature);
  void hash_body();

  const crypto::Sha256& body_digest(const Signature& signature);
  // Refuses a signature whose body hash does not fit, or that claims more than there is.
  void check_body(Signature& signature);
  // What b= was made over (RFC 6376 section 3.7).
  crypto::Sha256 header_digest(const Signature& signature);
  // Adds what a signature that passed leaves open in this message.
  void add_weaknesses(DkimVerdict& verdict, const DkimOptions& options) const;

 private:
  CanonicalBody* body_of(Canonicalisation how);

  const mime::Message& message_;
  FieldIndex index_;
  std::array<std::optional<CanonicalBody>, 2> bodies_;  // by Canonicalisation
  std::string text_;                                    // of the header that is hashed
};

}  // namespace watchpost::auth
