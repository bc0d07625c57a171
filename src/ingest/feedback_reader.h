#pragma once
#include "base/metrics.h"
#include "base/snapshot.h"
#include "feedback/attribution/attribution.h"
#include "ingest/source.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace watchpost::ingest {

// A mail that came to a feedback address.
struct FeedbackItem {
  std::string_view bytes;
  feedback::MailEnvelope envelope;
  std::string_view source;  // name in the configuration
  Time at;                  // when it came
  // Where that was before now, as of mail that is imported: tokens have expired by now.
  std::optional<Time> now = std::nullopt;
  // Domain whose signature on the mail is good and whose reports are believed; checked by the
  // caller.
  std::optional<std::string> proven_reporter = std::nullopt;
};

// The joint between a received mail and the pipeline: mail in, an arrival out. Whoever received it
// adds its position and `settled`, and delivers it.
//   Threads: any.
//   Rules:   nothing is dropped silently: what brings no event is counted, and kept whole where it
//            was not understood or lost something on the way.
class FeedbackReader {
 public:
  static constexpr std::string_view kNobody = "no recipient in the token";

  // All but the rules outlives the reader; `sent` may be null.
  FeedbackReader(std::shared_ptr<const feedback::AttributionRules> rules,
                 const feedback::Classifier& classifier, const feedback::Mapping& mapping,
                 feedback::SentMail* sent, Metrics& metrics);

  // For mail that is read from now on; what is being read goes on with those of before.
  void use(std::shared_ptr<const feedback::AttributionRules> rules) {
    rules_.set(std::move(rules));
  }

  Arrival read(const FeedbackItem& item);
  // A one-click request (RFC 8058) with the token of its URL; nothing where the token is not good
  // or does not hold the recipient (kNobody: that takes nobody off a list), with the cause in
  // `why`. Counted either way.
  std::optional<Arrival> one_click(std::string_view token, std::string_view source, Time at,
                                   std::string_view& why);

 private:
  // Our past, with what was read a moment ago and is not on disk yet.
  class Past final : public feedback::SentMail {
   public:
    explicit Past(feedback::SentMail* stored) : stored_(stored) {}
    Result<std::optional<feedback::KnownMail>> look_up(std::string_view message_id,
                                                       std::string_view recipient) override;
    bool failed(std::string_view message_id, std::string_view recipient) override {
      return stored_ != nullptr && stored_->failed(message_id, recipient);
    }
    bool came(const EventId& id) override;
    void note(const Event& event);

   private:
    static constexpr size_t kMostNoted = 65'536;
    struct Hash {
      size_t operator()(const EventId& id) const { return static_cast<size_t>(id.low); }
    };
    feedback::SentMail* stored_;
    std::mutex mutex_;
    std::unordered_set<EventId, Hash> noted_;
    std::deque<EventId> order_;
  };
  void count(const Arrival& arrival);

  std::mutex in_order_;  // one is read after the other: what it is depends on what came before
  Snapshot<feedback::AttributionRules> rules_;
  const feedback::Classifier& classifier_;
  const feedback::Mapping& mapping_;
  Past past_;
  Metrics& metrics_;
};

}  // namespace watchpost::ingest
