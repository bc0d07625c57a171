// How long the report of a campaign takes, beside what else is stored.
//   campaign_bench [FOLDER] [EVENTS OF THE CAMPAIGN] [EVENTS OF OTHERS]
// FOLDER decides which disk is measured; it is made and removed again.
#include "investigate/campaigns.h"
#include "store/store.h"
#include "value_of.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <sys/resource.h>
#include <vector>

#include <fmt/format.h>

namespace {

using namespace watchpost;

constexpr Time kStart = std::chrono::sys_days(std::chrono::year(2026) / 11 / 24);
constexpr uint64_t kCommit = 10'000;  // events

double seconds_since(std::chrono::steady_clock::time_point began) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

int64_t peak_megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

EventKind kind_of(uint64_t number) {
  if (number % 50 == 0) return EventKind::bounced;
  if (number % 20 == 0) return EventKind::deferred;
  return number % 1000 == 1 ? EventKind::complained : EventKind::delivered;
}

// One in so many is of the campaign, evenly over six hours; others are of 300 customers.
void write_events(const store::StoreSettings& settings, uint64_t own, uint64_t others) {
  auto store = value_of(store::Store::open(settings));
  const uint64_t all = own + others;
  const uint64_t every = all / own;
  for (uint64_t number = 0; number < all;) {
    EventBatch batch;
    for (uint64_t i = 0; i < kCommit && number < all; ++i, ++number) {
      Event& event = batch.add();
      event.id = {number * 0x9E3779B97F4A7C15u, number};
      event.at = kStart + Duration(number * (uint64_t{6} * 3'600'000'000 / all));
      event.kind = kind_of(number / every);
      event.delay = 1.25;
      const bool is_own = number % every == 0;
      const auto set = [&](Field field, const std::string& text) {
        event[field] = batch.keep(text);
      };
      set(Field::source, "mail.log");
      set(Field::queue_id, fmt::format("4F{:X}", number));
      set(Field::message_id,
          fmt::format("{:x}.{}@mailer.example.com", number * 2654435761, number));
      set(Field::sender, fmt::format("bounce+{}@news.example.com", number));
      set(Field::recipient, fmt::format("person{}@domain{}.example", number, number % 211));
      set(Field::recipient_domain, fmt::format("domain{}.example", number % 211));
      set(Field::provider,
          number % 4 == 0 ? "yahoo" : fmt::format("domain{}.example", number % 211));
      set(Field::customer, is_own ? "shop" : fmt::format("customer{}", number % 300));
      set(Field::campaign, is_own ? "autumn" : fmt::format("campaign{}", number % 2000));
      set(Field::credential, fmt::format("login{}@example.com", number % 500));
      set(Field::status, "2.0.0");
      set(Field::reply,
          "250 2.0.0 OK  1763952000 d2e1a72fcca58-7b0a1c2d3e4si1234567b3a.12 - gsmtp");
    }
    store::Commit commit;
    commit.events = batch.events();
    value_of(store->commit(commit));
  }
  value_of(store->maintain(kStart + std::chrono::days(2), std::chrono::minutes(10)));
  value_of(store->maintain(kStart + std::chrono::days(3), std::chrono::minutes(10)));
}

void report(const store::StoreSettings& settings) {
  const auto reader = value_of(store::Reader::open(settings));
  const investigate::CampaignQuery query{.customer = "shop", .campaign = "autumn"};
  const int64_t before = peak_megabytes();
  const auto began = std::chrono::steady_clock::now();
  const auto found =
      value_of(investigate::report_campaign(*reader, query, kStart + std::chrono::days(1), {}));
  const double seconds = seconds_since(began);
  fmt::print(
      "report: {} events, {} messages, {} bounced, {} complained in {:.2f} s "
      "({:.0f} events/s); peak memory {} MiB, before {} MiB\n",
      found.events, found.mail.total.sent, found.mail.total.bounced, found.mail.total.complained,
      seconds, static_cast<double>(found.events) / seconds, peak_megabytes(), before);
}

void list(const store::StoreSettings& settings) {
  const auto reader = value_of(store::Reader::open(settings));
  const auto began = std::chrono::steady_clock::now();
  const auto found = value_of(investigate::list_campaigns(*reader, {.since = kStart}, {}));
  const double seconds = seconds_since(began);
  fmt::print("list:   {} events, {} campaigns in {:.2f} s ({:.0f} events/s)\n", found.events,
             found.campaigns.size(), seconds, static_cast<double>(found.events) / seconds);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1] : "/var/tmp/watchpost-campaign-bench";
  const uint64_t own = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1'000'000;
  const uint64_t others = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 3'000'000;
  if (std::filesystem::exists(folder) || own == 0) {
    fmt::print(stderr, "{} is there already, or there are no events\n", folder);
    return 1;
  }
  const store::StoreSettings settings{.path = folder};
  write_events(settings, own, others);
  report(settings);
  list(settings);
  std::filesystem::remove_all(folder);
  return 0;
}
