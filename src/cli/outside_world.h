#pragma once
#include "auth/results/settings.h"
#include "base/async.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "cli/command.h"
#include "config/configuration.h"
#include "dns/resolver.h"

#include <future>
#include <memory>
#include <string>
#include <utility>

namespace watchpost::cli {

// The configuration; defaults where nobody named one and the usual place has none.
Result<config::Configuration> configuration_of(const Session& session);

// Who answers for DNS, and what we are called: a zone file where one is named, else the name
// servers of the configuration, or of the machine where there is no configuration.
class OutsideWorld {
 public:
  static Result<OutsideWorld> of(const Session& session, const std::string& zone_file);

  dns::Resolver& resolver() const { return *resolver_; }
  const auth::IdentitySettings& identity() const { return identity_; }  // authserv_id never empty
  dns::Budget message_budget() const;                                   // what one message may cost
  dns::Budget patient_budget() const;  // for a person who asks about a domain

 private:
  SystemClock clock_;
  std::unique_ptr<Metrics> metrics_;  // both outlive the resolver
  std::unique_ptr<SystemClock> resolver_clock_;
  std::unique_ptr<dns::Resolver> resolver_;
  auth::IdentitySettings identity_;
  dns::Budget message_budget_;
  Duration message_time_ = Duration::max();
};

// Blocks until it has come to its end, on whatever thread that is.
template <class T>
T waited_for(Async<T> some) {
  const auto promise = std::make_shared<std::promise<T>>();
  std::future<T> value = promise->get_future();
  start(std::move(some), [promise](T given) { promise->set_value(std::move(given)); });
  return value.get();
}

}  // namespace watchpost::cli
