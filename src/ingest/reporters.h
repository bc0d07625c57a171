#pragma once
#include "auth/dkim/key_cache.h"
#include "base/snapshot.h"
#include "base/time.h"
#include "dns/resolver.h"
#include "mime/message.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::ingest {

// Reporters whose feedback is believed where their DKIM signature is on it ([feedback] reporters):
// providers whose complaints come without anything of ours in them (RFC 9477 section 3.5).
//   Threads: any.
class Reporters {
 public:
  using BudgetOf = std::function<dns::Budget()>;  // what one mail may cost in DNS
  // All but `listed` outlives every check. It has: a domain, for all who write from it or below it,
  // or an address, for mail from that one alone. Without any nobody is believed and nothing is
  // looked up.
  Reporters(const std::vector<std::string>& listed, dns::Resolver& resolver, BudgetOf budget,
            const Clock& clock);

  // For mail that is checked from now on.
  void use(const std::vector<std::string>& listed);

  // `then` is called once, with the listed domain that the mail is proved to be from, or nothing:
  // at once for mail that does not say it is from any of them, else perhaps later and on the
  // resolver's thread. `mail` lives until then.
  using Then = std::function<void(std::optional<std::string> reporter)>;
  void check(std::string_view mail, Then then);
  // The same, waited for: at most as long as the budget lets DNS take.
  std::optional<std::string> check_now(std::string_view mail);

 private:
  struct Check;
  struct Listed {
    std::string domain;   // as auth compares them
    std::string address;  // in lower case; empty: everybody's of the domain
  };
  static std::shared_ptr<const std::vector<Listed>> as_compared(
      const std::vector<std::string>& listed);
  // Whose signature proves that the mail is from one of them.
  static std::vector<std::string> domains_for(const mime::Message& message,
                                              const std::vector<Listed>& listed);

  Snapshot<std::vector<Listed>> listed_;
  dns::Resolver& resolver_;
  const BudgetOf budget_;
  const Clock& clock_;
  auth::KeyCache keys_;
};

}  // namespace watchpost::ingest
