// Detection alone: events in memory, no parsing, nothing stored.
#include "detect/test_events.h"
#include "detect/watch.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <random>
#include <string>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

namespace {

using namespace watchpost;
using namespace std::chrono_literals;

std::vector<detect::Detector> shipped_like() {
  using detect::detector_of;
  return {
      detector_of({.name = "unknown users",
                   .watch = {"credential", "customer campaign"},
                   .window = 10min,
                   .when = "bounced(class == unknown_user) / attempted exceeds 2%",
                   .guard = "bounced >= 10",
                   .mode = "enforce",
                   .then = {"suspend 1h"}}),
      detector_of({.name = "complaints",
                   .watch = {"customer campaign"},
                   .window = 1h,
                   .when = "complained / delivered > 0.3%",
                   .guard = "delivered >= 1000 and complained >= 10"}),
      detector_of({.name = "blocked",
                   .watch = {"customer campaign", "provider"},
                   .window = 10min,
                   .when = "(bounced(class in [reputation_block, content_block, policy]) + "
                           "deferred(class in [reputation_block, content_block, policy])) / "
                           "attempted exceeds 10%",
                   .guard = "attempted >= 20"}),
      detector_of({.name = "failed logins",
                   .watch = {"client_ip", "credential"},
                   .window = 10min,
                   .when = "login(outcome == failure) > 50"}),
      detector_of(
          {.name = "volume", .watch = {"credential"}, .window = 1h, .when = "accepted > 100000"}),
      detector_of({.name = "deferrals",
                   .watch = {"provider"},
                   .window = 1h,
                   .when = "deferred / attempted exceeds 30%",
                   .guard = "attempted >= 500"})};
}

// The same, and what looks further than a sum of counters.
std::vector<detect::Detector> looking_further() {
  using detect::detector_of;
  std::vector<detect::Detector> all = shipped_like();
  const auto add = [&](std::vector<std::string> watch, Duration window, std::string when) {
    all.push_back(detector_of(
        {.name = when, .watch = std::move(watch), .window = window, .when = std::move(when)}));
  };
  add({"credential", "customer campaign"}, 1h,
      "bounced(class == unknown_user) / attempted climbs from 2% to 20% at 0.000001");
  add({"credential"}, 1h, "accepted exceeds 3 * usual(accepted) at 0.000001");
  add({"credential"}, 1h, "distinct(login(outcome == success), client_ip) >= 8");
  add({"credential"}, 24h, "new(login(outcome == success), client_ip) >= 8");
  all.push_back(detector_of({.name = "complaints of cohorts",
                             .watch = {"customer campaign"},
                             .window = 72h,
                             .when = "complained / delivered exceeds 0.3%",
                             .guard = "complained >= 10",
                             .cohort = 1h}));
  return all;
}

// Mail of 10,000 logins of 1,500 customers, most of it from few of them: for each accepted message
// a result, most of them delivered, 6 % deferred, 3 % bounced, some complaints and logins.
class MixedMail {
 public:
  explicit MixedMail(size_t count) {
    for (size_t i = 0; i < kLogins; ++i) {
      names_.push_back(texts_.keep(fmt::format("user{}@customer{}.example", i, i % 1500)));
      customers_.push_back(texts_.keep(fmt::format("customer{}", i % 1500)));
      addresses_.push_back(texts_.keep(fmt::format("192.0.{}.{}", i / 250, i % 250)));
    }
    for (int i = 0; i < 20; ++i) campaigns_.push_back(texts_.keep(fmt::format("campaign-{}", i)));
    std::vector<double> sums;
    double sum = 0;
    for (size_t i = 0; i < kLogins; ++i) sums.push_back(sum += 1 / std::pow(double(i + 1), 0.9));
    std::mt19937 random(1);
    for (size_t i = 0; i < count; ++i) {
      const double pick = std::uniform_real_distribution<>(0, sum)(random);
      const auto who = static_cast<size_t>(std::ranges::lower_bound(sums, pick) - sums.begin());
      const auto dice = random() % 1000;
      const EventKind kind = dice < 450   ? EventKind::delivered
                             : dice < 880 ? EventKind::accepted
                             : dice < 940 ? EventKind::deferred
                             : dice < 970 ? EventKind::bounced
                             : dice < 972 ? EventKind::complained
                                          : EventKind::login;
      mails_.push_back({static_cast<uint16_t>(who % kLogins),
                        static_cast<uint8_t>(random() % (1 + who % 3) + who % 17), kind,
                        static_cast<uint8_t>(random() % 8)});
    }
  }
  size_t size() const { return mails_.size(); }

  void fill(Event& event, size_t number) const {
    const Mail& mail = mails_[number];
    event.kind = mail.kind;
    event[Field::credential] = names_[mail.who];
    event[Field::customer] = customers_[mail.who];
    event[Field::client_ip] = addresses_[mail.who];
    event[Field::campaign] = campaigns_[mail.campaign];
    const bool result = mail.kind != EventKind::accepted && mail.kind != EventKind::login;
    event[Field::provider] = result ? kProviders[mail.dice] : std::string_view();
    event[Field::class_] = mail.kind == EventKind::deferred  ? "rate_limited"
                           : mail.kind != EventKind::bounced ? ""
                           : mail.dice % 2 == 0              ? "unknown_user"
                                                             : "mailbox_full";
    event[Field::outcome] = mail.dice == 0 ? "failure" : "success";
  }

 private:
  struct Mail {
    uint16_t who;
    uint8_t campaign;
    EventKind kind;
    uint8_t dice;
  };
  static constexpr size_t kLogins = 10'000;
  static constexpr std::array<std::string_view, 8> kProviders{
      "gmail", "microsoft", "yahoo", "apple", "gmx", "orange", "other", "comcast"};
  EventBatch texts_;
  std::vector<std::string_view> names_;
  std::vector<std::string_view> customers_;
  std::vector<std::string_view> addresses_;
  std::vector<std::string_view> campaigns_;
  std::vector<Mail> mails_;
};

// 2,000,000 events in a day.
void count_mixed_mail(benchmark::State& state, std::vector<detect::Detector> (*rules)()) {
  const MixedMail mail(2'000'000);
  std::vector<Signal> signals;
  detect::WatchStats stats;
  for (auto _ : state) {
    detect::Watch watch(rules(), {});
    signals.clear();
    Event event;
    for (size_t i = 0; i < mail.size(); ++i) {
      mail.fill(event, i);
      event.at = detect::kTestStart + Duration(24h) * i / mail.size();
      watch.on(event, signals);
    }
    stats = watch.stats();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(mail.size()));
  state.counters["streams"] = static_cast<double>(stats.streams);
  state.counters["MiB"] = static_cast<double>(stats.bytes) / 1048576;
  state.counters["signals"] = static_cast<double>(signals.size());
}
BENCHMARK_CAPTURE(count_mixed_mail, plain, shipped_like)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(count_mixed_mail, looking_further, looking_further)
    ->Unit(benchmark::kMillisecond);

// Resident pages of this process in MiB.
double resident() {
  std::ifstream statm("/proc/self/statm");
  double size = 0;
  double pages = 0;
  statm >> size >> pages;
  return pages * 4096 / 1048576;
}

// Keys that somebody makes up: the argument is how many millions; the cap is 512 MiB.
void count_invented_keys(benchmark::State& state) {
  const auto keys = static_cast<size_t>(state.range(0)) * 1'000'000;
  std::vector<Signal> signals;
  const double before = resident();
  for (auto _ : state) {
    detect::Watch watch(shipped_like(), {.memory = 512 << 20});
    std::string name;
    Event event;
    event.at = detect::kTestStart;
    for (size_t i = 0; i < keys; ++i) {
      event.at += 10us;
      name.clear();
      fmt::format_to(std::back_inserter(name), "made-up-{}@example.org{:.{}}", i,
                     "----------------", i / 1'000'000 % 16);
      event[Field::credential] = name;
      watch.on(event, signals);
    }
    state.counters["streams"] = static_cast<double>(watch.stats().streams);
    state.counters["evicted"] = static_cast<double>(watch.stats().evicted);
    state.counters["counted_MiB"] = static_cast<double>(watch.stats().bytes) / 1048576;
    state.counters["resident_MiB"] = resident() - before;
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(keys));
}
BENCHMARK(count_invented_keys)->Arg(10)->Arg(50)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
