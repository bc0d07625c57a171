// What it costs to look up by its Message-ID whether a mail was sent, as feedback without a token
// asks: mail that is there, new and old, and mail that never was.
//   look_up_bench [FOLDER] [EVENTS] [PARTITIONS]
// FOLDER is made, and removed again. Each message has two events. The newest of them have no index
// yet, and more are committed as it looks up.
#include "store/store.h"
#include "value_of.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <time.h>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace {

using namespace watchpost;

constexpr uint64_t kBatch = 5'000;
constexpr uint64_t kTail = 50'000;
constexpr Time kStart = std::chrono::sys_days(std::chrono::year(2026) / 10 / 24);

// Milliseconds of a clock.
double now(clockid_t clock) {
  timespec at{};
  clock_gettime(clock, &at);
  return static_cast<double>(at.tv_sec) * 1e3 + static_cast<double>(at.tv_nsec) * 1e-6;
}

// Milliseconds of one look-up, in all and on the processor.
struct Took {
  double wall = 0;
  double processor = 0;
};

std::string message_id(uint64_t message) {
  return fmt::format("{:x}.{}@mailer.example.com", message * 2654435761U, message);
}

void add_event(EventBatch& batch, uint64_t number, Time at) {
  Event& event = batch.add();
  event.id = {number * 0x9E3779B97F4A7C15U, number};
  event.at = at;
  event.kind = EventKind::delivered;
  const uint64_t message = number / 2;
  event[Field::source] = "postfix";
  event[Field::host] = "mx1.example.com";
  event[Field::queue_id] = batch.keep(fmt::format("{:X}", message * 40503 + 0x1000000));
  event[Field::message_id] = batch.keep(message_id(message));
  event[Field::recipient] =
      batch.keep(fmt::format("person{}@domain{}.example", message, message % 977));
  event[Field::customer] = batch.keep(fmt::format("customer{}", message % 300));
  event[Field::campaign] = batch.keep(fmt::format("campaign{}", message % 5'000));
  event[Field::reply] = "250 2.0.0 OK 1764000000 a640c23a62f3a-b7654321 - gsmtp";
}

void commit(store::Store& store, uint64_t& number, uint64_t until, Duration step) {
  EventBatch batch;
  for (; number < until; ++number) add_event(batch, number, kStart + step * number);
  store::Commit commit;
  commit.events = batch.events();
  value_of(store.commit(commit));
}

template <class Which>
std::vector<Took> look_up(store::Reader& reader, size_t times, bool there, const Which& which) {
  std::vector<Took> took;
  for (size_t i = 0; i < times; ++i) {
    const store::EventQuery query{.equal = {{Field::message_id, message_id(which())}},
                                  .limit = 500};
    const double began = now(CLOCK_MONOTONIC);
    const double used = now(CLOCK_THREAD_CPUTIME_ID);
    const auto page = value_of(reader.events(query));
    took.push_back({now(CLOCK_MONOTONIC) - began, now(CLOCK_THREAD_CPUTIME_ID) - used});
    if (page.events.empty() != there) continue;
    fmt::print(stderr, "{} was looked up wrongly\n", query.equal.front().value);
    std::exit(1);
  }
  return took;
}

void show(const char* what, std::vector<Took> took) {
  fmt::print("  {:28}", what);
  for (double Took::* const which : {&Took::wall, &Took::processor}) {
    std::ranges::sort(took, {}, which);
    fmt::print("  {}: p50 {:9.3f} ms  p99 {:9.3f} ms",
               which == &Took::wall ? "in all" : "processor", took[took.size() / 2].*which,
               took[took.size() * 99 / 100].*which);
  }
  fmt::print("\n");
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1] : "/var/tmp/watchpost-look-up-bench";
  const uint64_t events = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 5'000'000;
  const uint64_t partitions = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 720;
  if (std::filesystem::exists(folder) || events < 4 * kTail || partitions == 0) {
    fmt::print(stderr, "{} is there already, or there are too few events\n", folder);
    return 1;
  }
  const store::StoreSettings settings{.path = folder, .keep = std::chrono::days(400)};
  const Duration step = Duration(std::chrono::hours(partitions)) / events;
  auto store = value_of(store::Store::open(settings));
  uint64_t number = 0;
  while (number < events - kTail) {
    commit(*store, number, std::min(number + kBatch, events - kTail), step);
    if (number % (20 * kBatch) != 0) continue;
    value_of(store->maintain(kStart + step * number, std::chrono::minutes(1)));
  }
  for (const int minutes : {10, 20}) {
    const Time late =
        kStart + step * number + std::chrono::hours(1) + std::chrono::minutes(minutes);
    value_of(store->maintain(late, std::chrono::minutes(10)));
  }
  while (number < events) commit(*store, number, number + kBatch, step);

  std::mt19937_64 random(7);
  const auto one_of = [&](uint64_t first, uint64_t count) {
    return [&random, first, count] { return first + random() % count; };
  };
  const uint64_t messages = events / 2;
  for (const bool in_memory : {true, false}) {
    auto reader = value_of(store::Reader::open(
        settings, {.for_message_ids = in_memory ? size_t{256} << 20 : size_t{0}}));
    const size_t times = in_memory ? 2'000 : 5;
    fmt::print("{} events, {} partitions, {} look-ups each, {}\n", events, partitions, times,
               in_memory ? "filters in memory" : "nothing in memory");
    show("the first", look_up(*reader, 1, false, one_of(messages * 2, messages)));
    show("new, not indexed yet", look_up(*reader, times, true, one_of(messages - 20'000, 19'000)));
    show("old", look_up(*reader, times, true, one_of(0, messages / 2)));
    show("never there", look_up(*reader, times, false, one_of(messages * 2, messages)));
    show("never there, as mail comes", look_up(*reader, times, false, [&] {
           commit(*store, number, number + 100, step);
           return messages * 8 + random() % messages;
         }));
  }
  store.reset();
  std::filesystem::remove_all(folder);
  return 0;
}
