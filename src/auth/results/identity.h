#pragma once
#include "auth/arc/arc.h"
#include "auth/dkim/dkim.h"
#include "auth/dmarc/dmarc.h"
#include "auth/mailbox.h"
#include "auth/results/authentication_results.h"
#include "auth/results/authors.h"
#include "auth/spf/spf.h"
#include "base/async.h"
#include "base/ip_address.h"
#include "base/time.h"
#include "dns/host_names.h"
#include "dns/recorded.h"
#include "dns/resolver.h"
#include "mime/message.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::auth {

// Who delivers a message, as the SMTP session said it. Texts come from outside.
struct Connection {
  std::optional<IpAddress> ip;  // none where nobody knows: then neither iprev nor SPF is asked,
                                // and what only SPF could decide is DmarcResult::undecided
  std::string helo;             // as it was said
  std::string mail_from;        // the argument of MAIL FROM, with or without angle brackets
  // SASL; empty: not logged in. Who is, submits mail of ours that nobody has published anything
  // about for us: then neither SPF nor DMARC is asked, the authors are held against the login.
  std::string login;
  // What the login may write as: addresses, and "@shop.example" for all of a domain. Empty: the
  // login itself, where it is an address.
  std::vector<std::string> login_addresses;
};

// How a message is checked.
struct IdentityOptions {
  std::string receiver;  // our host name, for the macro %{r} of SPF
  // Domains of ARC sealers whose word may take the place of a DMARC pass. Exact names.
  std::vector<std::string> trusted_sealers;
  DkimOptions dkim;  // with the time
  DmarcSettings dmarc;
};

// Everything that is known of who a message is from. Each part is computed from typed values, none
// is read out of header fields of others (reliability C2). Immutable once given; all texts come
// from outside: escape them on output.
struct Identity {
  Connection connection;
  std::optional<ReversePath> sender;   // none: MAIL FROM is no address
  std::optional<dns::HostNames> host;  // none: the client's address is not known
  SpfVerdict spf_helo;
  SpfVerdict spf_mail_from;
  std::vector<DkimVerdict> dkim;  // one for each signature
  ArcVerdict arc;
  Authors authors;
  DmarcVerdict dmarc;
  std::string trusted_sealer;    // the listed sealer that says the message passed; empty: none
  bool login_is_author = false;  // each author is one that the login may write as
  uint32_t look_ups = 0;

  // Every reader sees the same authors, and for each of them his domain vouches, or it is the
  // login's own address. A domain's word is about the domain: who of it wrote is its own affair.
  bool author_is_authentic() const {
    return connection.login.empty() ? dmarc.result == DmarcResult::pass : login_is_author;
  }
};

// Whether an author is one of `allowed`: an address, or "@" and a domain. Local parts are compared
// as they stand (RFC 5321 section 2.4). Pure.
bool may_write_as(const mime::Address& author, std::string_view allowed);

// Checks a message: the client's names (iprev), SPF for HELO and MAIL FROM, every DKIM signature,
// the ARC chain, and DMARC upon these. Never fails: what could not be found out is a value of its
// own. Where readers may see different authors, the result of DMARC is never a pass. What decides
// about the authors is asked first (author_first.h): no names of the sender's own can use up the
// budget before it.
//   Owns:    nothing; `message`, `asked`, `budget` and what `options` points to outlive the
//   wait. Costs:   as much DNS as `budget` allows; the message is read once. Threads: none inside.
Async<Identity> check_identity(const mime::Message& message, Connection connection,
                               dns::Resolver& asked, dns::Budget& budget, IdentityOptions options);
// The same with what is asked for one message and remembered already.
Async<Identity> check_identity(const mime::Message& message, Connection connection,
                               dns::Recorded& resolver, dns::Budget& budget,
                               IdentityOptions options);

// What we say about it in a field of our own (RFC 8601). Domains are A-labels.
AuthenticationResults results_of(const Identity& identity, std::string authserv_id);

// Whether a feedback report is proved to be by one of the listed reporters: it has one certain
// author domain, and a signature that passes, over the whole body and without anything added, by
// that domain or one above it which is listed. Gives the listed domain. Pure.
std::optional<std::string> proven_reporter(const Identity& identity,
                                           std::span<const std::string> reporters);

}  // namespace watchpost::auth
