// What a DNS look-up costs that is answered from memory: through look_up() as a coroutine awaits
// it, through the cache alone, by one thread and by two.
//   build/release/bench/dns_bench
// Answers come from a name server in this process, on loopback, before the clock runs.
#include "base/metrics.h"
#include "dns/cache.h"
#include "dns/packet.h"
#include "dns/real_resolver.h"

#include <arpa/inet.h>
#include <array>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <netinet/in.h>
#include <span>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <benchmark/benchmark.h>

namespace {

using namespace watchpost;
using namespace watchpost::dns;

constexpr size_t kNames = 10'000;

std::string name_of_number(size_t number) {
  return "selector" + std::to_string(number % 7) + "._domainkey.customer" + std::to_string(number) +
         ".example";
}

// Says one TXT to every question, as large as a key of 2048 bits.
class NameServer {
 public:
  NameServer() : socket_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    if (bind(socket_, reinterpret_cast<sockaddr*>(&at), size) != 0) std::abort();
    getsockname(socket_, reinterpret_cast<sockaddr*>(&at), &size);
    port_ = ntohs(at.sin_port);
    timeval patience{.tv_sec = 0, .tv_usec = 50'000};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    thread_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) serve_one();
    });
  }
  ~NameServer() {
    thread_ = {};
    close(socket_);
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  void serve_one() const {
    std::array<char, 2048> bytes{};
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const auto count =
        recvfrom(socket_, bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (count < 23) return;
    std::string reply(bytes.data(), static_cast<size_t>(count) - 11);  // without the OPT
    reply[2] = '\x81';
    reply[3] = '\x80';
    reply[7] = 1;   // one answer
    reply[11] = 0;  // nothing else
    reply += std::string("\xC0\x0C\x00\x10\x00\x01\x00\x00\x0E\x10\x01\x92\xC8", 13);
    reply += std::string(200, 'k') + '\xC8' + std::string(200, 'k');
    sendto(socket_, reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
  }

  int socket_;
  uint16_t port_ = 0;
  std::jthread thread_;
};

// One of everything for all benchmarks.
struct World {
  World() {
    for (size_t i = 0; i < kNames; ++i) names.push_back(name_of_number(i));
    ResolverSettings settings;
    settings.servers = {server.address()};
    settings.timeout = 20s;
    auto opened = RealResolver::open(settings, clock, metrics);
    if (!opened) std::abort();
    resolver = std::move(*opened);
    for (const std::string& name : names) fill(name);
  }
  void fill(const std::string& name) {
    Budget budget;
    std::atomic<bool> done = false;
    start(resolver->look_up(name, RecordType::txt, budget), [&](const AnswerPtr& answer) {
      if (answer->outcome != Outcome::found) std::abort();
      done = true;
      done.notify_one();
    });
    done.wait(false);
  }

  NameServer server;
  SystemClock clock;
  Metrics metrics;
  std::vector<std::string> names;
  std::unique_ptr<RealResolver> resolver;
};

World& world() {
  static World one;
  return one;
}

// As SPF or DKIM asks: one coroutine that awaits answer after answer.
Async<size_t> ask_all(Resolver& resolver, std::span<const std::string> names, Budget& budget) {
  size_t found = 0;
  for (const std::string& name : names) {
    const AnswerPtr answer = co_await resolver.look_up(name, RecordType::txt, budget);
    found += answer->texts.size();
  }
  co_return found;
}

void look_up(benchmark::State& state, Duration budget_time) {
  World& all = world();
  const auto names = std::span<const std::string>(all.names).first(size_t(state.range(0)));
  for (auto _ : state) {
    Budget budget{.queries = kNames};
    if (budget_time > 0s) budget.until = all.clock.now() + budget_time;
    const auto found = value_now(ask_all(*all.resolver, names, budget));
    if (found != names.size()) state.SkipWithError("not all was in the cache");
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void look_up_hit(benchmark::State& state) { look_up(state, 0s); }
void look_up_hit_with_deadline(benchmark::State& state) { look_up(state, 1h); }

// A hundred names, by one thread and by two that contend for the cache's mutex.
void cache_hit(benchmark::State& state) {
  static std::unique_ptr<Cache> cache;
  const std::vector<std::string>& names = world().names;
  if (state.thread_index() == 0) {
    cache = std::make_unique<Cache>(CacheSettings{}, 42);
    for (size_t i = 0; i < 100; ++i) {
      Answer answer;
      answer.outcome = Outcome::found;
      answer.ttl = 3600;
      answer.texts.emplace_back(400, 'k');
      cache->keep({names[i], RecordType::txt}, std::move(answer), Time());
    }
  }
  for (auto _ : state) {
    for (size_t i = 0; i < 100; ++i) {
      benchmark::DoNotOptimize(cache->find(names[i], RecordType::txt, Time()));
    }
  }
  state.SetItemsProcessed(state.iterations() * 100);
}

void read_reply_of_a_key(benchmark::State& state) {
  const Question question{"s._domainkey.example", RecordType::txt};
  std::string reply = write_query(7, question, false);
  reply[2] = '\x81';
  reply[3] = '\x80';
  reply[7] = 1;
  reply += std::string("\xC0\x0C\x00\x10\x00\x01\x00\x00\x0E\x10\x01\x92\xC8", 13);
  reply += std::string(200, 'k') + '\xC8' + std::string(200, 'k');
  const std::span bytes(reinterpret_cast<const uint8_t*>(reply.data()), reply.size());
  for (auto _ : state) benchmark::DoNotOptimize(read_reply(bytes, 7, question));
  state.SetItemsProcessed(state.iterations());
}

// Few names stay in the processor's own memory, many do not.
BENCHMARK(look_up_hit)->Arg(100)->Arg(kNames)->Threads(1)->Threads(2)->UseRealTime();
BENCHMARK(look_up_hit_with_deadline)->Arg(100)->UseRealTime();
BENCHMARK(cache_hit)->Threads(1)->Threads(2)->UseRealTime();
BENCHMARK(read_reply_of_a_key);

}  // namespace

BENCHMARK_MAIN();
