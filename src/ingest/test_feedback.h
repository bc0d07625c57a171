#pragma once
// A feedback reader with keys of its own and a past that a test makes up.
#include "feedback/attribution/test_mail.h"
#include "ingest/feedback_reader.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::ingest::test {

using namespace feedback::test;

inline constexpr Time kSent = std::chrono::sys_days(std::chrono::year(2026) / 11 / 30);
inline constexpr Time kNow = kSent + 2h;

// What was sent, and what counted.
class Sent final : public feedback::SentMail {
 public:
  Result<std::optional<feedback::KnownMail>> look_up(std::string_view message_id,
                                                     std::string_view recipient) override {
    if (busy) return fail(Code::exhausted, "no time");
    const auto found = mails.find(std::string(message_id));
    if (found == mails.end()) return std::nullopt;
    if (!recipient.empty() && found->second.recipient != recipient) return std::nullopt;
    return found->second;
  }
  bool failed(std::string_view message_id, std::string_view recipient) override {
    const auto known = look_up(message_id, recipient);
    return known && *known && (*known)->failed;
  }
  bool came(const EventId&) override { return false; }

  std::map<std::string, feedback::KnownMail> mails;
  bool busy = false;
};

inline feedback::AttributionRules rules_of(feedback::FeedbackSettings settings = {}) {
  if (settings.keys.empty()) {
    settings.keys = {{.id = 1, .secret = std::string(kSecret)},
                     {.id = 2, .secret = "fedcba9876543210", .customer = "other"}};
  }
  auto made = feedback::AttributionRules::from(settings, std::chrono::hours(24 * 30));
  EXPECT_TRUE(made) << made.error().text();
  return std::move(*made);
}

class FeedbackReaderTest : public ::testing::Test {
 protected:
  std::string token(std::string_view recipient = "kim@example.com", Time sent = kSent) const {
    return rules_.keys
        .make({.sent = sent, .customer = "acme", .campaign = "spring", .credential = "acme-api"},
              recipient, sent, uint8_t{1})
        .value();
  }
  Arrival read(const std::string& mail, std::vector<std::string> to = {"fbl@example.net"}) {
    return reader_.read({.bytes = mail,
                         .envelope = {.sender = "", .recipients = std::move(to)},
                         .source = "inbox",
                         .at = kNow});
  }
  uint64_t mails(std::string_view what) {
    return metrics_
        .counter("watchpost_feedback_mails", "", {{"source", "inbox"}, {"what", std::string(what)}})
        .value();
  }
  // "complained kim@example.com acme/spring/acme-api by token: token"
  static std::string told(const Arrival& arrival) {
    std::string text;
    for (const Event& event : arrival.events.events()) {
      if (!text.empty()) text += "; ";
      text += fmt::format("{} {} {}/{}/{} by {}: {}", name_of(event.kind), event[Field::recipient],
                          event[Field::customer], event[Field::campaign], event[Field::credential],
                          event[Field::attribution], event[Field::proof]);
    }
    return text;
  }
  void use(feedback::FeedbackSettings settings) { rules_ = rules_of(std::move(settings)); }

  Sent sent_;
  feedback::Mapping mapping_;
  feedback::AttributionRules rules_ = rules_of();
  Metrics metrics_;
  FeedbackReader reader_{
      std::shared_ptr<const feedback::AttributionRules>(std::shared_ptr<void>(), &rules_),
      feedback::Classifier::shipped(), mapping_, &sent_, metrics_};
};

}  // namespace watchpost::ingest::test
