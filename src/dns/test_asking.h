#pragma once
#include "base/metrics.h"
#include "dns/real_resolver.h"

#include <future>
#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace watchpost::dns {

inline std::future<AnswerPtr> begin_asking(Resolver& resolver, std::string name, RecordType type,
                                           Budget& budget) {
  auto promise = std::make_shared<std::promise<AnswerPtr>>();
  start(resolver.look_up(std::move(name), type, budget),
        [promise](AnswerPtr answer) { promise->set_value(std::move(answer)); });
  return promise->get_future();
}

// A real resolver and what it needs.
struct Asking {
  explicit Asking(ResolverSettings settings, RealResolver::Resume resume = {}) {
    auto opened = RealResolver::open(settings, clock, metrics, std::move(resume));
    EXPECT_TRUE(opened) << opened.error().text();
    if (opened) resolver = std::move(*opened);
  }
  AnswerPtr ask(std::string name, RecordType type) {
    return begin_asking(*resolver, std::move(name), type, budget).get();
  }

  SystemClock clock;
  Metrics metrics;
  Budget budget{.queries = 100'000};
  std::unique_ptr<RealResolver> resolver;
};

}  // namespace watchpost::dns
