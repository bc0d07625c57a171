#include "ingest/reporters.h"

#include "auth/domain_name.h"
#include "auth/results/authors.h"
#include "auth/results/identity.h"
#include "base/ascii.h"
#include "base/text.h"

#include <algorithm>
#include <future>
#include <memory>
#include <utility>

namespace watchpost::ingest {

// One mail being checked: what the look-ups refer to.
struct Reporters::Check {
  mime::Message message;
  dns::Budget budget;
  std::vector<std::string> domains;  // whose signature would prove it
};

std::shared_ptr<const std::vector<Reporters::Listed>> Reporters::as_compared(
    const std::vector<std::string>& listed) {
  auto made = std::make_shared<std::vector<Listed>>();
  for (const std::string& one : listed) {
    const size_t at = one.rfind('@');
    auto name = auth::ascii_domain(at == std::string::npos ? one : one.substr(at + 1));
    if (!name) continue;
    made->push_back({std::move(*name), at == std::string::npos ? std::string() : lower_ascii(one)});
  }
  return made;
}

// Anybody can write mail that says it is from them; but mail that does not is not worth a look-up.
std::vector<std::string> Reporters::domains_for(const mime::Message& message,
                                                const std::vector<Listed>& listed) {
  const auth::Authors authors = auth::authors_of(message);
  std::vector<std::string> made;
  if (authors.addresses.size() != 1 || authors.domains.size() != 1) return made;
  for (const Listed& one : listed) {
    const bool is_from = one.address.empty()
                             ? auth::is_same_or_below(authors.domains.front(), one.domain)
                             : lower_ascii(authors.addresses.front().text()) == one.address;
    if (is_from) made.push_back(one.domain);
  }
  return made;
}

Reporters::Reporters(const std::vector<std::string>& listed, dns::Resolver& resolver,
                     BudgetOf budget, const Clock& clock)
    : listed_(as_compared(listed)),
      resolver_(resolver),
      budget_(std::move(budget)),
      clock_(clock) {}

void Reporters::use(const std::vector<std::string>& listed) { listed_.set(as_compared(listed)); }

void Reporters::check(std::string_view mail, Then then) {
  const auto listed = listed_.get();
  if (listed->empty()) return then(std::nullopt);
  const auto check = std::make_shared<Check>(Check{mime::Message::read(mail), budget_(), {}});
  check->domains = domains_for(check->message, *listed);
  if (check->domains.empty()) return then(std::nullopt);
  const auth::IdentityOptions options{.dkim = {.now = clock_.now(), .keys = &keys_}};
  start(auth::check_identity(check->message, {}, resolver_, check->budget, options),
        [check, then = std::move(then)](const auth::Identity& identity) {
          then(auth::proven_reporter(identity, check->domains));
        });
}

std::optional<std::string> Reporters::check_now(std::string_view mail) {
  std::promise<std::optional<std::string>> promise;
  auto answer = promise.get_future();
  check(mail, [&promise](std::optional<std::string> reporter) {
    promise.set_value(std::move(reporter));
  });
  return answer.get();
}

}  // namespace watchpost::ingest
