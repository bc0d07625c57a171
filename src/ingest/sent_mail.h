#pragma once
#include "base/time.h"
#include "feedback/attribution/attribution.h"
#include "store/store.h"

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
//   Rules:   looks no further back than `look_back`. Answers are kept for a while. What is not
//            proven has a quarter of the time for it: whoever sends feedback about mail that never
//            was must not keep a reader busy.
class StoredSentMail final : public feedback::SentMail {
 public:
  static constexpr size_t kMostKept = 20'000;
  // The clock outlives it. The store's folder need not be there yet.
  StoredSentMail(store::StoreSettings settings, Duration look_back, const Clock& clock);

  std::optional<feedback::KnownMail> look_up(std::string_view message_id,
                                             std::string_view recipient, bool proven) override;
  bool counted(const EventId& id) override;

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
  const Duration look_back_;
  const Clock& clock_;
  std::mutex mutex_;
  std::unique_ptr<store::Reader> reader_;
  std::unordered_map<std::string, Kept> kept_;
  std::deque<std::string> order_;
  Time slice_;        // in which `spent_` was
  Duration spent_{};  // on what is not proven
};

}  // namespace watchpost::ingest
