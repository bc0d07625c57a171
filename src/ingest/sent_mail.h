#pragma once
#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "feedback/attribution/attribution.h"
#include "ingest/own_failures.h"
#include "store/store.h"

#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace watchpost::ingest {

// What the store knows of mail that was sent.
//   Threads: any; one looks up at a time.
//   Rules:   looks no further back than `look_back`. Answers are kept for a while. Looking up has a
//            quarter of the time, and what there is no time for is not looked up: counted, and said
//            of the feedback. The first look-up takes as long as it takes: it reads the filters
//            that make the others quick.
class StoredSentMail final : public feedback::SentMail {
 public:
  static constexpr size_t kMostKept = 20'000;
  // All that it is given outlives it. The store's folder need not be there yet. Looking up may take
  // `budget` of each second.
  struct Options {
    Duration look_back{};  // 0: nothing is looked up
    Duration budget = std::chrono::milliseconds(250);
  };
  StoredSentMail(store::StoreSettings settings, const Options& options,
                 const OwnFailures& own_failures, const Clock& clock, Metrics& metrics);

  // For what is looked up from now on.
  void use(Duration look_back) { look_back_ = look_back; }

  Result<std::optional<feedback::KnownMail>> look_up(std::string_view message_id,
                                                     std::string_view recipient) override;
  bool failed(std::string_view message_id, std::string_view recipient) override {
    return own_failures_.has(message_id, recipient);
  }
  bool came(const EventId& id) override;

 private:
  struct Kept {
    std::optional<feedback::KnownMail> mail;
    Time since;
  };
  Result<store::Reader*> reader();
  Result<std::optional<feedback::KnownMail>> find(std::string_view message_id,
                                                  std::string_view recipient);
  void keep(std::string key, const std::optional<feedback::KnownMail>& found);
  bool has_time();

  const store::StoreSettings settings_;
  std::atomic<Duration> look_back_;
  const Duration budget_;
  const OwnFailures& own_failures_;
  const Clock& clock_;
  Counter& found_;
  Counter& unknown_;
  Counter& not_looked_up_;
  Counter& known_already_;
  std::mutex mutex_;
  std::unique_ptr<store::Reader> reader_;
  std::unordered_map<std::string, Kept> kept_;
  std::deque<std::string> order_;
  Time slice_;        // in which `spent_` was
  Duration spent_{};  // of it
  bool found_once_ = false;
  // Apart from look-ups, which may take long.
  std::mutex came_mutex_;
  std::unique_ptr<store::Reader> came_reader_;
};

}  // namespace watchpost::ingest
