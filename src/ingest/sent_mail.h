#pragma once
#include "base/time.h"
#include "feedback/attribution/attribution.h"
#include "ingest/own_failures.h"
#include "store/store.h"

#include <atomic>
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
//            quarter of the time: the newest events have no index yet, and feedback must not wait
//            for them. Without time for it nothing is known of a mail.
class StoredSentMail final : public feedback::SentMail {
 public:
  static constexpr size_t kMostKept = 20'000;
  // `own_failures` and the clock outlive it. The store's folder need not be there yet.
  StoredSentMail(store::StoreSettings settings, Duration look_back, const OwnFailures& own_failures,
                 const Clock& clock);

  // For what is looked up from now on.
  void use(Duration look_back) { look_back_ = look_back; }

  std::optional<feedback::KnownMail> look_up(std::string_view message_id,
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
  store::Reader* reader();
  std::optional<feedback::KnownMail> find(std::string_view message_id, std::string_view recipient);
  void keep(std::string key, const std::optional<feedback::KnownMail>& found);
  bool has_time();

  const store::StoreSettings settings_;
  std::atomic<Duration> look_back_;
  const OwnFailures& own_failures_;
  const Clock& clock_;
  std::mutex mutex_;
  std::unique_ptr<store::Reader> reader_;
  std::unordered_map<std::string, Kept> kept_;
  std::deque<std::string> order_;
  Time slice_;        // in which `spent_` was
  Duration spent_{};  // of it
};

}  // namespace watchpost::ingest
