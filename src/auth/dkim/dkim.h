#pragma once
#include "base/async.h"
#include "base/time.h"
#include "dns/resolver.h"
#include "mime/message.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::auth {

class KeyCache;

// RFC 8601 section 2.7.1.
enum class DkimResult : uint8_t {
  none,       // the message has no signature
  pass,       // it is signed by the domain, and what was signed is unchanged
  fail,       // the signature was acceptable and does not fit the message
  policy,     // we do not take such signatures: sha1, expired
  neutral,    // the signature cannot be read, or was not looked at
  temperror,  // the key could not be fetched now
  permerror,  // there is no usable key, or the signature may not be made so
};
std::string_view name_of(DkimResult result);  // "temperror"

// What a signature that passed leaves open. A message with one of these earns no trust by it.
enum class DkimWeakness : uint8_t {
  body_length,    // l=: bytes may be appended (RFC 6376 section 8.2)
  doubled_field,  // a field that may be there once stands there more often than it was signed:
                  // which one a reader sees is open (RFC 6376 section 8.15)
  small_key,      // RSA of under 2048 bits (RFC 8301 section 3.2)
  testing,        // t=y of the key (RFC 6376 section 3.6.1)
  future,         // t= is later than now: a clock is wrong, or somebody signs ahead
};
std::string_view name_of(DkimWeakness weakness);  // "body_length"

enum class Canonicalisation : uint8_t { simple, relaxed };
std::string_view name_of(Canonicalisation how);  // "relaxed"

// What became of one signature. Immutable once given; nothing is shared between two of them.
// What could not be read is empty. All texts come from outside: escape them on output.
struct DkimVerdict {
  DkimResult result = DkimResult::none;
  std::string why;        // one sentence; empty for a pass
  std::string domain;     // d=, as ascii_domain() has it
  std::string selector;   // s=, the same
  std::string identity;   // i= decoded ("bulk@news.example.org"); "@domain" where not given
  std::string algorithm;  // "rsa-sha256", in lower case
  std::string b_begin;    // the first characters of b=, as header.b reports them (RFC 6008)
  Canonicalisation header = Canonicalisation::simple;
  Canonicalisation body = Canonicalisation::simple;
  uint32_t key_bits = 0;                // 0: no key was read
  std::optional<uint64_t> body_length;  // l=, in bytes of the canonical body
  uint64_t unsigned_bytes = 0;          // of the canonical body, behind l=
  std::optional<Time> signed_at;        // t=
  std::optional<Time> expires_at;       // x=
  std::vector<std::string> fields;      // h= in lower case, in its order
  std::vector<DkimWeakness> weaknesses;
  bool authentic = false;    // DNSSEC: our resolver has validated the key's answer
  uint32_t field_index = 0;  // of the signature, in message.header().fields()

  bool passed() const { return result == DkimResult::pass; }
  bool has(DkimWeakness weakness) const;
  // Whether this signature may be what a DMARC pass rests on. A signature with l= never is: whoever
  // has one message of the domain could put any text behind it.
  bool counts_for_dmarc() const { return passed() && !body_length; }
  // Signed as a whole, with nothing left open.
  bool strong() const { return passed() && weaknesses.empty(); }
};

// What verifying asks for beside the message.
struct DkimOptions {
  Time now;
  KeyCache* keys = nullptr;     // outlives the wait; without one each key is parsed anew
  size_t most_signatures = 10;  // looked at; those behind are `neutral`
  uint32_t least_rsa_bits = 1024;
  uint32_t most_rsa_bits = 4096;
  Duration clock_skew = 5min;  // of t= and x=
};

// Verifies all DKIM-Signature fields of a message: RFC 6376, 8301, 8463, 8616.
//   Gives:   one verdict for each signature, in the order of the message; empty where there is
//            none. Never fails: what DNS cannot tell is `temperror`.
//   Owns:    nothing; message, resolver and budget outlive the wait.
//   Costs:   one look-up and one public key operation for each signature, at most; the body is read
//            once for each pair of canonicalisation and l=.
//   Threads: none inside.
Async<std::vector<DkimVerdict>> verify_dkim(const mime::Message& message, dns::Resolver& resolver,
                                            dns::Budget& budget, DkimOptions options);

// The result for a whole message: the best that any signature came to; `none` without any.
DkimResult overall(std::span<const DkimVerdict> verdicts);

}  // namespace watchpost::auth
