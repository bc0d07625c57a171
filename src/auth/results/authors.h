#pragma once
#include "mime/address.h"
#include "mime/message.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::auth {

// What is odd about who a message says it is from.
enum class AuthorOddity : uint8_t {
  no_field,        // no From field
  several_fields,  // two or more
  hidden_field,    // one that some readers see and some do not: "From" and its colon on two lines,
                   // bytes in its name, a line that begins with a blank, a bare carriage return
  no_address,      // none with a domain
  several_addresses,  // which RFC 5322 allows, with a Sender
  several_domains,
  malformed,        // not as RFC 5322 section 3.4 has it; what is left is still read
  ambiguous,        // malformed in a way that readers find other addresses in it
  bad_domain,       // one that is no domain name, an address literal too
  route,            // "<@relay.example:jo@shop.example>" (RFC 5322 section 4.4)
  address_in_name,  // a display name that looks like an address of another domain
  cut_off,          // the header is too large to be read whole
};
std::string_view name_of(AuthorOddity oddity);   // "several_fields"
std::string_view words_of(AuthorOddity oddity);  // "it has several From fields"

// The authors of a message: the mailboxes of its From fields (RFC 5322 section 3.6.2, RFC 9989
// section 3.2.2). Sender and Resent-From are never asked.
struct Authors {
  std::vector<mime::Address> addresses;  // in their order, those of groups as well
  std::vector<std::string> domains;      // each once, as mail_domain() has them; the author domains
  std::vector<AuthorOddity> oddities;    // each once

  bool has(AuthorOddity oddity) const;
  // Every reader of the message finds the same author domains in it, and at least one. Where not,
  // nobody is authenticated, whatever is aligned (reliability C1, E-S8 to E-S19).
  bool certain() const;
};

inline constexpr size_t kMostAuthors = 100;  // more are ambiguous

// Total; the work is proportional to the header.
Authors authors_of(const mime::Message& message);

}  // namespace watchpost::auth
