// How fast events become durable, and how fast they are found again.
//   store_bench [FOLDER] [EVENTS] [EVENTS A COMMIT]
// FOLDER decides which disk is measured; it is made and removed again.
#include "store/store.h"
#include "value_of.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <time.h>
#include <vector>

#include <fmt/format.h>

namespace {

using namespace watchpost;

// Reading all of more takes minutes and says the same.
constexpr uint64_t kMostForWholeReads = 5'000'000;

double seconds_of(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Wall and processor time since it was made.
class Stopwatch {
 public:
  double wall() const { return seconds_of(CLOCK_MONOTONIC) - wall_; }
  double processor() const { return seconds_of(CLOCK_PROCESS_CPUTIME_ID) - processor_; }

 private:
  double wall_ = seconds_of(CLOCK_MONOTONIC);
  double processor_ = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
};

// A delivery as a mail server logs it: 16 texts, as from a busy sender.
void add_event(EventBatch& batch, uint64_t number, Time at) {
  Event& event = batch.add();
  event.id = {number * 0x9E3779B97F4A7C15u, number};
  event.at = at;
  event.kind = number % 50 == 0 ? EventKind::bounced : EventKind::delivered;
  event.reply_code = number % 50 == 0 ? 550 : 250;
  event.recipients = 1;
  event.size = 20'000 + number % 9'000;
  event.delay = 1.25;
  const auto set = [&](Field field, const std::string& text) { event[field] = batch.keep(text); };
  const uint64_t domain = number % 211;
  set(Field::source, "mail.log");
  set(Field::host, "mx1.example.com");
  set(Field::service, "smtp");
  set(Field::queue_id, fmt::format("4F{:X}", number));
  set(Field::message_id, fmt::format("{:x}.{}@mailer.example.com", number * 2654435761, number));
  set(Field::sender, fmt::format("bounce+{}@news.example.com", number));
  set(Field::from_domain, "news.example.com");
  set(Field::recipient, fmt::format("person{}@domain{}.example", number, domain));
  set(Field::recipient_domain, fmt::format("domain{}.example", domain));
  set(Field::provider, fmt::format("provider{}", number % 12));
  set(Field::customer, fmt::format("customer{}", number % 300));
  set(Field::campaign, fmt::format("campaign{}", number % 2000));
  set(Field::credential, fmt::format("login{}@example.com", number % 500));
  set(Field::client_ip, fmt::format("192.0.2.{}", number % 250));
  set(Field::status, number % 50 == 0 ? "5.1.1" : "2.0.0");
  set(Field::reply, "250 2.0.0 OK  1763952000 d2e1a72fcca58-7b0a1c2d3e4si1234567b3a.12 - gsmtp");
}

uint64_t bytes_in(const std::string& folder) {
  uint64_t bytes = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder)) {
    if (file.is_regular_file()) bytes += file.file_size();
  }
  return bytes;
}

void report(const char* what, uint64_t events, const Stopwatch& watch) {
  const double count = static_cast<double>(events);
  fmt::print("{:28} {:8.3f} s  {:10.0f} events/s  {:5.2f} us/event on the processor\n", what,
             watch.wall(), count / watch.wall(), watch.processor() / count * 1e6);
}

void write_events(const store::StoreSettings& settings, uint64_t events, uint64_t batch_size,
                  Time start) {
  auto store = value_of(store::Store::open(settings));
  double spent = 0;
  double processor = 0;
  for (uint64_t number = 0; number < events;) {
    EventBatch batch;
    for (uint64_t i = 0; i < batch_size && number < events; ++i, ++number) {
      add_event(batch, number, start + Duration(number * 200));
    }
    store::Commit commit;
    commit.events = batch.events();
    commit.facts.push_back({"position/mail.log", fmt::format("{}", number)});
    const Stopwatch watch;
    value_of(store->commit(commit));
    spent += watch.wall();
    processor += watch.processor();
  }
  const double count = static_cast<double>(events);
  fmt::print("{:28} {:8.3f} s  {:10.0f} events/s  {:5.2f} us/event on the processor\n",
             "commit, durable", spent, count / spent, processor / count * 1e6);
  const Stopwatch sealing;
  value_of(store->maintain(start + std::chrono::days(2), std::chrono::minutes(10)));
  value_of(store->maintain(start + std::chrono::days(3), std::chrono::minutes(10)));
  report("index (maintain)", events, sealing);
}

void search(const store::StoreSettings& settings, const char* what, store::EventQuery query) {
  auto reader = value_of(store::Reader::open(settings));
  const Stopwatch watch;
  const auto page = value_of(reader->events(query));
  fmt::print("{:28} {:8.3f} ms {:10} found\n", what, watch.wall() * 1e3, page.events.size());
}

}  // namespace

int main(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1] : "/var/tmp/watchpost-store-bench";
  const uint64_t events = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 2'000'000;
  const uint64_t batch = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 5'000;
  if (std::filesystem::exists(folder)) {
    fmt::print(stderr, "{} is there already\n", folder);
    return 1;
  }
  const store::StoreSettings settings{.path = folder, .partition = std::chrono::minutes(1)};
  const Time start = std::chrono::sys_days(std::chrono::year(2026) / 11 / 24);
  write_events(settings, events, batch, start);
  fmt::print("{:28} {:8.1f} bytes/event\n", "on disk, indexed",
             static_cast<double>(bytes_in(folder)) / static_cast<double>(events));

  search(settings, "newest 100", {});
  search(settings, "one recipient",
         {.equal = {{Field::recipient, fmt::format("person7@domain7.example")}}});
  search(settings, "one message-id",
         {.equal = {{Field::message_id,
                     fmt::format("{:x}.{}@mailer.example.com", 7 * uint64_t{2654435761}, 7)}}});
  search(settings, "100 of a login", {.equal = {{Field::credential, "login7@example.com"}}});
  search(settings, "100 of a customer's campaign",
         {.equal = {{Field::customer, "customer7"}, {Field::campaign, "campaign307"}}});
  const Time middle = start + Duration(events * 100);
  search(settings, "100 of a minute", {.since = middle, .until = middle + std::chrono::minutes(1)});
  search(settings, "a recipient never seen", {.equal = {{Field::recipient, "nobody@nowhere"}}});
  search(settings, "100 of a customer", {.equal = {{Field::customer, "customer7"}}});
  search(settings, "100 bounces", {.kind = EventKind::bounced});
  if (events > kMostForWholeReads) return std::filesystem::remove_all(folder), 0;
  search(settings, "row by row, none",
         {.where = [](const Event& event) { return event.size == 1; }});
  auto reader = value_of(store::Reader::open(settings));
  uint64_t read = 0;
  const Stopwatch watch;
  value_of(reader->events_after(0, [&](const Event&, uint64_t) { ++read; }));
  report("read all in order", read, watch);
  std::filesystem::remove_all(folder);
  return 0;
}
