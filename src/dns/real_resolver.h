#pragma once
#include "base/metrics.h"
#include "base/result.h"
#include "base/settings.h"
#include "base/time.h"
#include "dns/cache.h"
#include "dns/resolver.h"

#include <coroutine>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace watchpost::dns {

struct ResolverSettings {
  std::vector<std::string> servers;
  Duration timeout = 2s;
  int64_t tries = 3;
  int64_t most_waiting = 10'000;
  int64_t message_lookups = 100;
  Duration message_time = 8s;
  bool trust_ad = false;
  CacheSettings cache;
};
void fields(SettingsVisitor& visit, ResolverSettings& settings);

// Asks recursive name servers, and keeps what they say.
//   Use:     auto resolver = RealResolver::open(settings, clock, metrics);
//            Budget budget = (*resolver)->message_budget();      // for each message
//            const AnswerPtr answer = co_await (*resolver)->look_up(name, RecordType::txt, budget);
//   Threads: look_up() from any. What is in the cache is given at once, where it was asked for.
//   What
//            is not goes on on the resolver's own thread when its answer is there, or where
//            `resume` brings it; until it waits again or ends, nothing else is received, so what
//            takes long should go elsewhere. It may look up again right there. Whoever asks for
//            what is already being asked shares that question.
//   Ends:    the destructor (not on the resolver's thread) ends all waits with `failed`, and
//   returns
//            when the coroutines that waited have been resumed.
//   Fails:   open(): bad_input for a server that is none, exhausted, unavailable. A look-up: never,
//            `failed` is an answer: nobody answered within `timeout`, or all said something that is
//            none (SERVFAIL, malformed), the budget is used up, too many wait.
class RealResolver final : public Resolver {
 public:
  // Has the coroutine resumed, once, now or later, on a thread of its choice. Called on the
  // resolver's thread.
  using Resume = std::function<void(std::coroutine_handle<>)>;

  static Result<std::unique_ptr<RealResolver>> open(const ResolverSettings& settings,
                                                    const Clock& clock, Metrics& metrics,
                                                    Resume resume = {});
  ~RealResolver() override;

  Async<AnswerPtr> look_up(std::string name, RecordType type, Budget& budget) override;
  // What a message that comes now may cost.
  Budget message_budget() const;
  // Brings gauges up to date.
  void show(Metrics& metrics) const;

 private:
  struct State;
  explicit RealResolver(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace watchpost::dns
