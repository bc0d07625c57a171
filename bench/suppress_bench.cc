// How fast suppressions are looked up, what they take of memory, and how long a start takes.
//   suppress_bench [ENTRIES] [FOLDER]
// With FOLDER they are also stored there and restored as the daemon does at its start; it is made
// and removed again.
#include "store/store.h"
#include "suppress/keeper.h"
#include "suppress/list.h"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

namespace {

using namespace watchpost;
using Ticks = std::chrono::steady_clock;

constexpr size_t kAsked = 4'000'000;
constexpr size_t kDifferent = 1'000'000;  // addresses asked about
constexpr size_t kInCommit = 20'000;

double seconds_since(Ticks::time_point begin) {
  return std::chrono::duration<double>(Ticks::now() - begin).count();
}

// Resident memory of this process.
size_t resident() {
  std::ifstream in("/proc/self/statm");
  size_t all = 0, pages = 0;
  in >> all >> pages;
  return pages * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

Suppression suppression(uint64_t number) {
  Suppression one;
  one.recipient = fmt::format("some.person{}@domain{}.example", number * 2654435761 % 1'000'000'007,
                              number % 5003);
  one.customer = fmt::format("customer{}", number % 1009);
  one.reason = number % 5 == 0 ? SuppressionReason::complaint : SuppressionReason::hard_bounce;
  if (number % 4 == 0) one.until = Time(std::chrono::hours(24 * 30 * 700));
  one.origin = "rule `no such mailbox`";
  one.evidence =
      "bounced, unknown_user: 550 5.1.1 The email account that you tried to reach is unknown";
  one.since = one.changed_at = Time(std::chrono::seconds(1'790'000'000));
  one.event = {number, number};
  one.of = {{Field::recipient, one.recipient},
            {Field::recipient_domain, fmt::format("domain{}.example", number % 5003)},
            {Field::provider, "provider.example"},
            {Field::customer, one.customer},
            {Field::campaign, "autumn"},
            {Field::source_ip, "192.0.2.7"}};
  one.change = number + 1;
  return one;
}

void measure_list(size_t entries) {
  suppress::List list(7);
  const size_t before = resident();
  auto begin = Ticks::now();
  for (uint64_t i = 0; i < entries; ++i) list.put(suppression(i));
  fmt::print(
      "{} entries put in {:.2f} s (made up meanwhile); {:.1f} bytes an entry by its own count, "
      "{:.1f} by resident memory\n",
      list.size(), seconds_since(begin),
      static_cast<double>(list.bytes()) / static_cast<double>(entries),
      static_cast<double>(resident() - before) / static_cast<double>(entries));
  const Time now(std::chrono::seconds(1'790'000'000));
  for (const bool there : {true, false}) {
    std::vector<Suppression> asked;
    for (uint64_t i = 0; i < kDifferent; ++i) {
      asked.push_back(suppression((i * 7919) % entries + (there ? 0 : entries)));
    }
    for (const size_t threads : {1, 2}) {
      std::atomic<size_t> found{0};
      begin = Ticks::now();
      std::vector<std::thread> running;
      for (size_t t = 0; t < threads; ++t) {
        running.emplace_back([&, t] {
          size_t mine = 0;
          for (size_t i = 0; i < kAsked; ++i) {
            const Suppression& one = asked[(i + t * 1000) % asked.size()];
            mine += list.holding(one.customer, one.recipient, now) ? 1 : 0;
          }
          found += mine;
        });
      }
      for (std::thread& one : running) one.join();
      const double rate = static_cast<double>(kAsked * threads) / seconds_since(begin);
      fmt::print("looked up by {} threads, {}: {:.2f} million/s ({} found)\n", threads,
                 there ? "all of them there" : "none of them there", rate / 1e6, found.load());
    }
  }
}

int measure_restore(size_t entries, const std::string& folder) {
  const store::StoreSettings settings{.path = folder};
  {
    auto store = store::Store::open(settings);
    if (!store) return 1;
    const auto begin = Ticks::now();
    for (uint64_t i = 0; i < entries;) {
      store::Commit commit;
      for (; i < entries && commit.suppressions.size() < kInCommit; ++i) {
        commit.suppressions.push_back(suppression(i));
      }
      if (!(*store)->commit(commit)) return 1;
    }
    fmt::print("stored in {:.2f} s\n", seconds_since(begin));
  }
  auto reader = store::Reader::open(settings);
  if (!reader) return 1;
  const auto begin = Ticks::now();
  suppress::List list(7);
  uint64_t after = 0;
  while (true) {
    const auto rows = (*reader)->suppressions_after(after, 10'000);
    if (!rows || rows->empty()) break;
    for (const Suppression& one : *rows) list.put(one);
    after = rows->back().change;
  }
  fmt::print("{} restored in {:.2f} s\n", list.size(), seconds_since(begin));
  return list.size() == entries ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const size_t entries = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  if (entries == 0) return 2;
  measure_list(entries);
  if (argc <= 2) return 0;
  const int code = measure_restore(entries, argv[2]);
  std::error_code ignored;
  std::filesystem::remove_all(argv[2], ignored);
  return code;
}
