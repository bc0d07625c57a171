#pragma once
#include "base/async.h"
#include "base/result.h"
#include "cli/command.h"
#include "dns/resolver.h"

#include <future>
#include <memory>
#include <string>
#include <utility>

namespace watchpost::cli {

// Who answers for DNS: a zone file where one is named, else the resolver of the configuration.
Result<std::unique_ptr<dns::Resolver>> chosen_resolver(const Session& session,
                                                       const std::string& zone_file);

// Blocks until it has come to its end, on whatever thread that is.
template <class T>
T waited_for(Async<T> some) {
  const auto promise = std::make_shared<std::promise<T>>();
  std::future<T> value = promise->get_future();
  start(std::move(some), [promise](T given) { promise->set_value(std::move(given)); });
  return value.get();
}

}  // namespace watchpost::cli
