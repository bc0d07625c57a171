#include "dns/real_resolver.h"

#include "dns/name.h"
#include "dns/name_servers.h"
#include "dns/outcome.h"
#include "dns/questions.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <mutex>
#include <thread>
#include <unistd.h>

namespace watchpost::dns {
namespace {

constexpr Duration kIdle = 60s;
// By then the question itself is over, and says better why.
constexpr Duration kPatience = 1s;

// Never goes back, whatever is done to the clock on the wall.
Time steady_time() {
  return Time(
      std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

// The same, some milliseconds late, for a fifth of the price.
Time coarse_time() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return Time(std::chrono::seconds(now.tv_sec) + Duration(now.tv_nsec / 1000));
}

uint64_t random_seed() {
  uint64_t seed = 0;
  WP_CHECK(getentropy(&seed, sizeof seed) == 0);
  return seed;
}

AskingOptions asking(const ResolverSettings& settings) {
  return {.timeout = settings.timeout,
          .tries = static_cast<size_t>(settings.tries),
          .most = static_cast<size_t>(settings.most_waiting),
          .trust_ad = settings.trust_ad};
}

Result<std::vector<ServerAddress>> servers_of(const ResolverSettings& settings) {
  if (settings.servers.empty()) return system_servers();
  std::vector<ServerAddress> servers;
  for (const std::string& text : settings.servers) {
    const auto server = parse_server(text);
    if (!server) return fail(server.error());
    servers.push_back(*server);
  }
  return servers;
}

}  // namespace

void fields(SettingsVisitor& visit, ResolverSettings& settings) {
  visit.setting({.name = "servers",
                 .help = "recursive name servers to ask, for example `127.0.0.1` or "
                         "`[::1]:5353`; best one that validates, on this machine; empty: those "
                         "of /etc/resolv.conf"},
                &settings.servers);
  visit.setting({.name = "timeout",
                 .help = "how long a look-up may take, all tries taken together",
                 .least = 0.1,
                 .most = 30},
                &settings.timeout);
  visit.setting({.name = "tries",
                 .help = "so often each server is asked within that time",
                 .least = 1,
                 .most = 8},
                &settings.tries);
  visit.setting({.name = "most_waiting",
                 .help = "so many look-ups may wait at once; past it there is no answer",
                 .least = 1,
                 .most = 1'000'000},
                &settings.most_waiting);
  visit.setting({.name = "message_lookups",
                 .help = "so many look-ups a message may cost, those answered from memory as well",
                 .least = 1,
                 .most = 10'000},
                &settings.message_lookups);
  visit.setting({.name = "message_time",
                 .help = "and so long it may wait for them in all",
                 .least = 0.1,
                 .most = 120},
                &settings.message_time);
  visit.setting({.name = "trust_ad",
                 .help = "believe what servers say of DNSSEC (AD) also where they are not on this "
                         "machine: only with a path to them that nobody else can write to"},
                &settings.trust_ad);
  visit.section("cache", "answers kept in memory", [&] { fields(visit, settings.cache); });
}

struct RealResolver::State {
  State(const ResolverSettings& given, const Clock& wall_clock, Metrics& metrics,
        std::unique_ptr<NameServers> name_servers, Resume resume_by);

  AnswerPtr at_once(std::string& name, RecordType type, Budget& budget);
  Time until(const Budget& budget) const;
  bool hand_over(Waiter& waiter);
  void run();
  bool step();
  AnswerPtr keep(const Question& question, Answer answer);

  const ResolverSettings settings;
  const Clock& clock;
  const Resume resume;
  Counter& from_cache;
  Counter& from_servers;
  Counter& packets;
  std::array<Counter*, 4> outcomes{};
  Cache cache;
  const std::unique_ptr<NameServers> servers;
  Questions questions;
  std::mutex mutex;  // of the two that follow
  std::vector<Waiter*> inbox;
  bool stopping = false;
  std::thread thread;  // last: it uses all of the above
};

RealResolver::State::State(const ResolverSettings& given, const Clock& wall_clock, Metrics& metrics,
                           std::unique_ptr<NameServers> name_servers, Resume resume_by)
    : settings(given),
      clock(wall_clock),
      resume(std::move(resume_by)),
      from_cache(metrics.counter("watchpost_dns_lookups", "DNS look-ups, by who had the answer.",
                                 {{"from", "cache"}})),
      from_servers(metrics.counter("watchpost_dns_lookups", "DNS look-ups, by who had the answer.",
                                   {{"from", "servers"}})),
      packets(metrics.counter("watchpost_dns_packets", "Questions sent to name servers.")),
      cache(given.cache, random_seed()),
      servers(std::move(name_servers)),
      questions(*servers, asking(given), [this](const Question& question, Answer answer) {
        return keep(question, std::move(answer));
      }) {
  for (const Outcome outcome :
       {Outcome::found, Outcome::no_data, Outcome::no_such_name, Outcome::failed}) {
    std::string label(name_of(outcome));
    std::ranges::replace(label, ' ', '_');
    outcomes[static_cast<size_t>(outcome)] = &metrics.counter(
        "watchpost_dns_answers", "What name servers answered.", {{"outcome", label}});
  }
  thread = std::thread([this] { run(); });
}

// What needs no wait.
AnswerPtr RealResolver::State::at_once(std::string& name, RecordType type, Budget& budget) {
  if (!charge(budget)) return budget_used_up(budget);
  if (budget.until != Time::max() && clock.now() >= budget.until) {
    return failed("The time that the message had for DNS is over");
  }
  if (!make_key(name)) return no_such_name();
  AnswerPtr known = cache.find(name, type, coarse_time());
  if (known) from_cache.add();
  return known;
}

Time RealResolver::State::until(const Budget& budget) const {
  if (budget.until == Time::max()) return Time::max();
  return steady_time() + (budget.until - clock.now());
}

// False where the resolver is about to end. Once it is true, the waiter may be gone at any moment.
bool RealResolver::State::hand_over(Waiter& waiter) {
  const std::lock_guard lock(mutex);
  if (stopping) {
    waiter.answer = failed("Watchpost is stopping");
    return false;
  }
  inbox.push_back(&waiter);
  // Within the mutex: who ends the resolver takes it first, and finds nobody in here any more.
  if (inbox.size() == 1) servers->wake();
  return true;
}

AnswerPtr RealResolver::State::keep(const Question& question, Answer answer) {
  outcomes[static_cast<size_t>(answer.outcome)]->add();
  return cache.keep(question, std::move(answer), steady_time());
}

void RealResolver::State::run() {
  while (step()) {
  }
}

bool RealResolver::State::step() {
  Duration most = kIdle;
  if (const auto next = questions.next()) {
    most = std::clamp<Duration>(*next - steady_time(), 0us, kIdle);
  }
  const auto arrivals = servers->wait(most);
  std::vector<Waiter*> asked;
  bool ends = false;
  {
    const std::lock_guard lock(mutex);
    asked.swap(inbox);
    ends = stopping;
  }
  const Time now = steady_time();
  const uint64_t sent = questions.sent();
  for (const Arrival& arrival : arrivals) questions.on(arrival, now);
  std::vector<Waiter*> ready;
  for (Waiter* waiter : asked) {
    // Somebody may have asked the same while this one was on its way.
    waiter->answer = cache.find(waiter->question.name, waiter->question.type, now);
    if (waiter->answer) {
      ready.push_back(waiter);
    } else {
      questions.ask(*waiter, now);
    }
  }
  questions.advance(now);
  packets.add(questions.sent() - sent);
  if (ends) questions.give_up("Watchpost is stopping");
  for (Waiter* waiter : questions.take_ready()) ready.push_back(waiter);
  from_servers.add(ready.size());
  for (const Waiter* waiter : ready) {
    const std::coroutine_handle<> goes_on = waiter->goes_on;
    if (resume) {
      resume(goes_on);
    } else {
      goes_on.resume();
    }
  }
  return !ends;
}

Result<std::unique_ptr<RealResolver>> RealResolver::open(const ResolverSettings& settings,
                                                         const Clock& clock, Metrics& metrics,
                                                         Resume resume) {
  auto addresses = servers_of(settings);
  if (!addresses) return fail(addresses.error());
  auto servers = NameServers::open(std::move(*addresses), settings.timeout + kPatience);
  if (!servers) return fail(servers.error());
  return std::unique_ptr<RealResolver>(new RealResolver(
      std::make_unique<State>(settings, clock, metrics, std::move(*servers), std::move(resume))));
}

RealResolver::RealResolver(std::unique_ptr<State> state) : state_(std::move(state)) {}

RealResolver::~RealResolver() {
  WP_CHECK(std::this_thread::get_id() != state_->thread.get_id());
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    state_->servers->wake();
  }
  state_->thread.join();
}

namespace {

// Waits on the resolver's thread for what is not known yet.
template <class State>
struct HandedOver {
  State& state;
  Waiter waiter;

  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> goes_on) {
    waiter.goes_on = goes_on;
    return state.hand_over(waiter);
  }
  AnswerPtr await_resume() { return std::move(waiter.answer); }
};

}  // namespace

Async<AnswerPtr> RealResolver::look_up(std::string name, RecordType type, Budget& budget) {
  AnswerPtr known = state_->at_once(name, type, budget);
  if (known) co_return known;
  HandedOver<State> wait{*state_, {}};
  wait.waiter.question = {std::move(name), type};
  wait.waiter.until = state_->until(budget);
  AnswerPtr answer = co_await wait;
  co_return answer;
}

Budget RealResolver::message_budget() const {
  return {.queries = static_cast<uint32_t>(state_->settings.message_lookups),
          .until = state_->clock.now() + state_->settings.message_time};
}

void RealResolver::show(Metrics& metrics) const {
  const CacheCounts counts = state_->cache.counts();
  metrics.gauge("watchpost_dns_cache_entries", "Answers of DNS kept in memory.")
      .set(static_cast<double>(counts.entries));
  metrics.gauge("watchpost_dns_cache_bytes", "Memory of the answers of DNS.")
      .set(static_cast<double>(counts.bytes));
  metrics.gauge("watchpost_dns_cache_evicted", "Answers of DNS dropped for room since the start.")
      .set(static_cast<double>(counts.evicted));
}

}  // namespace watchpost::dns
