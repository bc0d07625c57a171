#pragma once
#include "auth/dkim/dkim.h"
#include "base/result.h"
#include "crypto/signing_key.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::auth {

// How a message is to be signed.
struct SigningOptions {
  std::string domain;    // d=
  std::string selector;  // s=
  std::string identity;  // i=; empty: left out
  Canonicalisation header = Canonicalisation::relaxed;
  Canonicalisation body = Canonicalisation::relaxed;
  // h=; empty: those of RFC 6376 section 5.4.1 that the message has. `from` is always signed.
  std::vector<std::string> fields;
  // Each field that may be there once is named once more than it is there, so that none can be
  // added (RFC 6376 section 8.15).
  bool oversign = true;
  std::optional<Time> at;         // t=
  std::optional<Duration> valid;  // x= that long after `at`; needs `at`
};

// The DKIM-Signature field, folded, with its CRLF: to be written above the message. Bare line feeds
// of the message count as CRLF, as they will when it is sent.
//   Fails:   bad_input where the message has no From, or a name cannot be one.
//   Threads: any.
Result<std::string> sign_dkim(const mime::Message& message, const crypto::SigningKey& key,
                              const SigningOptions& options);

}  // namespace watchpost::auth
