// How fast reputation is asked and noted, and what it takes of memory.
//   reputation_bench [PARTIES]
// As the border does it: of() and then note() of one address and one domain for each message, of
// three times as many parties as there is room for, some much more often than others.
#include "relate/reputation.h"

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

namespace {

using namespace watchpost;
using relate::Deed;
using relate::Party;
using relate::Reputation;
using Ticks = std::chrono::steady_clock;

constexpr size_t kCalls = 4'000'000;
constexpr Time kNow{std::chrono::seconds(1'795'000'000)};

double seconds_since(Ticks::time_point begin) {
  return std::chrono::duration<double>(Ticks::now() - begin).count();
}

size_t resident() {
  std::ifstream in("/proc/self/statm");
  size_t all = 0, pages = 0;
  in >> all >> pages;
  return pages * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

void run(Reputation& reputation, const std::vector<std::string>& names, uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> exponent(0, std::log(static_cast<double>(names.size())));
  std::vector<uint32_t> order(1 << 16);
  for (uint32_t& at : order) at = static_cast<uint32_t>(std::exp(exponent(random))) % names.size();
  for (size_t i = 0; i < kCalls; ++i) {
    // Half of them often met, half of them anybody.
    const size_t at = i % 2 == 0 ? order[i / 2 % order.size()] : random() % names.size();
    const Time now = kNow + std::chrono::microseconds(i * 100);
    (void)reputation.of(Party::ip, names[at], now);
    reputation.note(Party::ip, names[at], i % 10 == 0 ? Deed::bad : Deed::good, now);
  }
}

// Ten million addresses that nobody met before and nobody meets again, beside parties of a hundred
// messages. Gives how many of these were forgotten.
size_t attack(int64_t parties) {
  constexpr uint32_t kMadeUp = 10'000'000;
  Reputation reputation({.parties = parties});
  std::vector<std::string> known;
  for (int64_t i = 0; i < parties / 2; ++i) known.push_back(fmt::format("d{}.example", i));
  for (const std::string& name : known) {
    for (int i = 0; i < 100; ++i) reputation.note(Party::domain, name, Deed::good, kNow);
  }
  const auto begin = Ticks::now();
  for (uint32_t i = 0; i < kMadeUp; ++i) {
    reputation.note(Party::ip, fmt::format("2001:db8::{:x}", i), Deed::bad,
                    kNow + std::chrono::milliseconds(i));
  }
  size_t forgotten = 0;
  const Time then = kNow + std::chrono::hours(3);
  for (const std::string& name : known) {
    if (reputation.of(Party::domain, name, then).messages() < 99) ++forgotten;
  }
  fmt::print("{} made up in {:.1f} s beside {} known: {} gave way, {} of the known\n", kMadeUp,
             seconds_since(begin), known.size(), reputation.given_way(), forgotten);
  return forgotten;
}

}  // namespace

int main(int argc, char** argv) {
  const int64_t parties = argc > 1 ? std::strtoll(argv[1], nullptr, 10) : 500'000;
  if (parties < 1000) return 2;
  std::vector<std::string> names;
  for (int64_t i = 0; i < parties * 3; ++i) {
    names.push_back(
        fmt::format("{}.{}.{}.{}", 11 + i / 16'777'216, i / 65'536 % 256, i / 256 % 256, i % 256));
  }
  const size_t before = resident();
  Reputation reputation({.parties = parties});
  for (int64_t i = 0; i < parties; ++i) {
    reputation.note(Party::ip, names[static_cast<size_t>(i)], Deed::good, kNow);
  }
  fmt::print("{} parties, {:.0f} bytes each\n", reputation.size(),
             static_cast<double>(resident() - before) / static_cast<double>(reputation.size()));
  for (const size_t threads : {1, 2}) {
    const auto begin = Ticks::now();
    const std::clock_t cpu = std::clock();
    std::vector<std::thread> running;
    for (size_t t = 0; t < threads; ++t) {
      running.emplace_back([&, t] { run(reputation, names, static_cast<uint32_t>(t + 1)); });
    }
    for (std::thread& thread : running) thread.join();
    const double pairs = static_cast<double>(kCalls * threads) / 1e6;
    fmt::print(
        "asked and noted by {} threads: {:.2f} million pairs/s, {:.2f} a second of a core ({} gave "
        "way)\n",
        threads, pairs / seconds_since(begin),
        pairs / (static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC), reputation.given_way());
  }
  auto begin = Ticks::now();
  const std::string saved = reputation.save();
  fmt::print("saved in {:.3f} s: {:.1f} MB\n", seconds_since(begin),
             static_cast<double>(saved.size()) / 1e6);
  begin = Ticks::now();
  if (!reputation.restore(saved)) return 1;
  fmt::print("restored in {:.3f} s\n", seconds_since(begin));
  begin = Ticks::now();
  (void)reputation.worst(100, kNow);
  fmt::print("the worst hundred in {:.3f} s\n", seconds_since(begin));
  return attack(parties) == 0 ? 0 : 1;
}
