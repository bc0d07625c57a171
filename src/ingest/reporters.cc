#include "ingest/reporters.h"

#include "auth/domain_name.h"
#include "auth/results/identity.h"
#include "mime/message.h"

#include <algorithm>
#include <future>
#include <memory>
#include <utility>

namespace watchpost::ingest {

// One mail being checked: what the look-ups refer to.
struct Reporters::Check {
  mime::Message message;
  dns::Budget budget;
};

namespace {

std::shared_ptr<const std::vector<std::string>> as_compared(
    const std::vector<std::string>& domains) {
  auto made = std::make_shared<std::vector<std::string>>();
  for (const std::string& domain : domains) {
    if (auto name = auth::ascii_domain(domain)) made->push_back(std::move(*name));
  }
  return made;
}

// Anybody can write mail that says it is from them; but mail that does not is not worth a look-up.
bool says_it_is_from(const auth::Authors& authors, const std::vector<std::string>& domains) {
  return std::ranges::any_of(authors.domains, [&](const std::string& author) {
    return std::ranges::any_of(
        domains, [&](const std::string& listed) { return auth::is_same_or_below(author, listed); });
  });
}

}  // namespace

Reporters::Reporters(const std::vector<std::string>& domains, dns::Resolver& resolver,
                     BudgetOf budget, const Clock& clock)
    : domains_(as_compared(domains)),
      resolver_(resolver),
      budget_(std::move(budget)),
      clock_(clock) {}

void Reporters::use(const std::vector<std::string>& domains) { domains_.set(as_compared(domains)); }

void Reporters::check(std::string_view mail, Then then) {
  const auto domains = domains_.get();
  if (domains->empty()) return then(std::nullopt);
  const auto check = std::make_shared<Check>(Check{mime::Message::read(mail), budget_()});
  if (!says_it_is_from(auth::authors_of(check->message), *domains)) return then(std::nullopt);
  const auth::IdentityOptions options{.dkim = {.now = clock_.now(), .keys = &keys_}};
  start(auth::check_identity(check->message, {}, resolver_, check->budget, options),
        [check, domains, then = std::move(then)](const auth::Identity& identity) {
          then(auth::proven_reporter(identity, *domains));
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
