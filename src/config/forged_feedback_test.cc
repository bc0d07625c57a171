// What strangers can send to a feedback address, against the detectors that ship: rows S-30 to
// S-33, S-38, S-40 and S-42 of the attack list. Memory (S-41) and the number of measures (S-39) are
// bounded by detect and decide, whose tests say so.
#include "config/configuration.h"
#include "detect/watch.h"
#include "feedback/attribution/test_mail.h"
#include "ingest/feedback_reader.h"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::config {
namespace {

using namespace feedback::test;
using ingest::Arrival;

constexpr Time kSent = std::chrono::sys_days(std::chrono::year(2026) / 11 / 30);
constexpr Time kNow = kSent + 2h;

feedback::AttributionRules rules_of(std::vector<feedback::TokenKeySettings> keys) {
  feedback::FeedbackSettings settings;
  settings.keys = std::move(keys);
  settings.headers = {{"X-Customer", "(?P<customer>.+)"}, {"X-Campaign", "(?P<campaign>.+)"}};
  return feedback::AttributionRules::from(settings, std::chrono::hours(24 * 30)).value();
}

// Every mail that somebody asks about was sent, by the customer who is to be harmed.
class AllSent final : public feedback::SentMail {
 public:
  Result<std::optional<feedback::KnownMail>> look_up(std::string_view,
                                                     std::string_view recipient) override {
    return feedback::KnownMail{.customer = "victim",
                               .campaign = "spring",
                               .credential = "victim-api",
                               .recipient = std::string(recipient),
                               .sent = kSent};
  }
  bool failed(std::string_view message_id, std::string_view recipient) override {
    const auto known = look_up(message_id, recipient);
    return known && *known && (*known)->failed;
  }
  bool came(const EventId&) override { return false; }
};

class ForgedFeedback : public ::testing::Test {
 protected:
  void SetUp() override {
    auto shipped = load(std::string(WATCHPOST_SOURCE_DIR) + "/config/watchpost.toml");
    ASSERT_TRUE(shipped);
    watch_ = std::make_unique<detect::Watch>(std::move(shipped->rules), detect::WatchLimits());
    deliver(2'000);
  }
  // The victim's own mail, which arrived.
  void deliver(int count) {
    EventBatch batch;
    for (int i = 0; i < count; ++i) {
      Event& event = batch.add();
      event.id = hash128(fmt::format("delivered {}", i));
      event.at = kSent + std::chrono::seconds(i);
      event.kind = EventKind::delivered;
      event[Field::customer] = "victim";
      event[Field::campaign] = "spring";
      event[Field::credential] = "victim-api";
      event[Field::recipient] = batch.keep(fmt::format("u{}@yahoo.com", i));
      event[Field::recipient_domain] = "yahoo.com";
      event[Field::provider] = "yahoo";
      watch_->on(event, signals_);
    }
    ASSERT_TRUE(signals_.empty());
  }
  std::string token(std::string_view recipient, Time sent = kSent,
                    std::string_view customer = "victim") const {
    return rules_.keys
        .make({.sent = sent, .customer = std::string(customer), .campaign = "spring"}, recipient,
              sent, uint8_t{1})
        .value();
  }
  // As the pipeline does: an id counts once.
  void take(const std::string& mail, std::vector<std::string> to = {"fbl@example.net"},
            Time at = kNow) {
    const Arrival arrival = reader_.read({.bytes = mail,
                                          .envelope = {.sender = "", .recipients = std::move(to)},
                                          .source = "lmtp",
                                          .at = at});
    for (const Event& event : arrival.events.events()) {
      if (!ids_.insert(event.id).second) continue;
      ++events_;
      ++by_proof_[std::string(event[Field::proof])];
      watch_->on(event, signals_);
    }
  }

  AllSent sent_;
  feedback::Mapping mapping_;
  feedback::AttributionRules rules_ =
      rules_of({{.id = 1, .secret = std::string(kSecret)},
                {.id = 2, .secret = "the thief's own secret", .customer = "thief"}});
  Metrics metrics_;
  ingest::FeedbackReader reader_{
      std::shared_ptr<const feedback::AttributionRules>(std::shared_ptr<void>(), &rules_),
      feedback::Classifier::shipped(), mapping_, &sent_, metrics_};
  std::unique_ptr<detect::Watch> watch_;
  std::vector<Signal> signals_;
  std::set<EventId> ids_;
  size_t events_ = 0;
  std::map<std::string, size_t> by_proof_;
};

// What the others rest on: proven feedback does fire.
TEST_F(ForgedFeedback, GenuineComplaintsDoFire) {
  for (int i = 0; i < 100; ++i) {
    const std::string recipient = fmt::format("u{}@yahoo.com", i);
    take(arf_text({.token = token(recipient), .recipient = recipient, .reporter = "yahoo.com"}));
  }
  EXPECT_EQ(by_proof_["token"], 100u);
  EXPECT_FALSE(signals_.empty());
}

std::string guessed_token(int i) {
  std::string token = "wp1ae";
  for (int k = 0; k < 50; ++k) token += "abcdefghijklmnopqrstuvwxyz234567"[(i * 31 + k * 7) % 32];
  return token;
}

// S-30, S-32: all kinds, with all that a stranger could put in.
TEST_F(ForgedFeedback, AHundredThousandForgedItemsMoveNothing) {
  const auto thief = rules_of({{.id = 2, .secret = "the thief's own secret"}});
  const std::string foreign =
      thief.keys.make({.sent = kSent, .customer = "victim"}, "kim@yahoo.com", kSent).value();
  const std::string expired = token("kim@yahoo.com", kNow - std::chrono::hours(24 * 31));
  const std::string of_another = token("somebody@yahoo.com");
  const std::string unknown_key = "wp1ca" + std::string(50, 'a');
  const std::string spoofed =
      "Feedback-ID: spring:victim:x:y\r\nX-Customer: victim\r\nX-Campaign: spring\r\n";
  for (int i = 0; i < 100'000; ++i) {
    MailText mail{.recipient = fmt::format("v{}@yahoo.com", i),
                  .reporter = fmt::format("r{}.example", i % 3000),
                  .message_id = fmt::format("m{}@victim.example", i),
                  .fields = spoofed};
    const std::vector<std::string> tokens{"",         guessed_token(i), foreign,
                                          of_another, expired,          unknown_key};
    mail.token = tokens[static_cast<size_t>(i) % tokens.size()];
    const std::vector<std::string> to{
        fmt::format("b+v{}=yahoo.com@example.net", i),
        mail.token.empty() ? "fbl@example.net" : mail.token + "@example.net"};
    switch ((i / 6) % 5) {
      case 0: take(arf_text(mail), to); break;
      case 1: take(dsn_text(mail), to); break;
      case 2: take(arf_text(mail, "not-spam"), to); break;
      case 3: take(dsn_text(mail, "failed", "5.7.1"), to); break;
      default: take(unsubscribe_text("unsubscribe+x" + mail.token, mail.recipient), to);
    }
  }
  EXPECT_EQ(by_proof_["token"], 0u);
  EXPECT_GT(events_, 80'000u);
  for (const char* const cause : {"wrong token", "foreign token", "expired token", "unknown key",
                                  "recipient differs", "none"}) {
    EXPECT_GT(by_proof_[cause], 1'000u) << cause;
  }
  watch_->advance_to(kNow + 24h);
  EXPECT_TRUE(signals_.empty()) << signals_.front().because;
}

// S-31: the same report a thousand times, by any way and from anybody.
TEST_F(ForgedFeedback, AReplayedReportCountsOnce) {
  const MailText mail{.token = token("kim@yahoo.com"), .recipient = "kim@yahoo.com"};
  for (int i = 0; i < 1000; ++i) {
    MailText again = mail;
    again.reporter = fmt::format("r{}.example", i);
    take(fmt::format("Received: from a{}\r\n", i) + arf_text(again), {"fbl@example.net"},
         kNow + std::chrono::seconds(i));
    take(dsn_text(again), {mail.token + "@example.net"}, kNow + std::chrono::seconds(i));
  }
  EXPECT_EQ(events_, 2u);  // a complaint and a bounce
  EXPECT_TRUE(signals_.empty());
}

// S-33: a tag of a mail server is taken off; it proves nothing, and an old one says so.
TEST_F(ForgedFeedback, ATaggedReturnPathIsReadAndProvesNothing) {
  const MailText mail{.recipient = "kim@yahoo.com", .message_id = ""};
  const auto day = [](int from_now) {
    const auto today = std::chrono::floor<std::chrono::days>(kNow.time_since_epoch()).count();
    return (today + from_now) % 1000;
  };
  take(dsn_text(mail), {fmt::format("prvs=0{:03}abcdef=b+kim=yahoo.com@example.net", day(6))});
  EXPECT_EQ(by_proof_["none"], 1u);
  take(dsn_text(mail) + "\r\n",
       {fmt::format("prvs=0{:03}abcdef=b+kim=yahoo.com@example.net", day(-3))});
  EXPECT_EQ(by_proof_["expired return path"], 1u);
  take(dsn_text(mail),
       {fmt::format("prvs=0{:03}abcdef={}@example.net", day(6), token("kim@yahoo.com"))});
  EXPECT_EQ(by_proof_["token"], 1u);
}

// S-38: a customer's own tokens, with all else another's.
TEST_F(ForgedFeedback, ACustomerCannotSpeakForAnother) {
  const auto own_keys =
      rules_of({{.id = 2, .secret = "the thief's own secret", .customer = "thief"}});
  for (int i = 0; i < 2'000; ++i) {
    const std::string recipient = fmt::format("u{}@yahoo.com", i);
    const std::string own =
        own_keys.keys.make({.sent = kSent}, recipient, kSent, uint8_t{2}).value();
    take(arf_text({.token = own,
                   .recipient = recipient,
                   .message_id = fmt::format("m{}@victim.example", i),
                   .fields = "X-Customer: victim\r\nX-Campaign: spring\r\n"}));
  }
  EXPECT_EQ(by_proof_["token"], 2'000u);
  for (const Signal& signal : signals_) {
    EXPECT_EQ(signal.stream.text().find("victim"), std::string::npos) << signal.stream.text();
  }
}

// S-40: nobody thins their complaints by taking back what never was.
TEST_F(ForgedFeedback, TakingBackWhatNeverWasThinsNothing) {
  for (int i = 0; i < 100; ++i) {
    const std::string recipient = fmt::format("u{}@yahoo.com", i);
    take(arf_text({.token = token(recipient), .recipient = recipient}));
    const std::string other = fmt::format("u{}@yahoo.com", 1000 + i);
    take(arf_text({.token = token(other), .recipient = other}, "not-spam"));
  }
  EXPECT_EQ(by_proof_["no such complaint"], 100u);
  EXPECT_FALSE(signals_.empty());
}

// S-42: what a report says of its time counts for nothing.
TEST_F(ForgedFeedback, TheTimeIsTheTimeItCame) {
  const std::string recipient = "kim@yahoo.com";
  for (const char* const date :
       {"Thu, 01 Jan 1970 00:00:00 +0000", "Tue, 19 Jan 2038 03:14:08 +0000",
        "Fri, 31 Dec 9999 23:59:59 +0000", "Thu, 01 Jan -001 00:00:00 +0000"}) {
    const std::string mail =
        fmt::format("Date: {}\r\n", date) +
        arf_text({.recipient = recipient, .fields = fmt::format("Arrival-Date: {}\r\n", date)});
    const Arrival arrival =
        reader_.read({.bytes = mail, .envelope = {}, .source = "lmtp", .at = kNow});
    ASSERT_EQ(arrival.events.size(), 1u);
    EXPECT_EQ(arrival.events.events()[0].at, kNow);
  }
  take(arf_text({.token = token(recipient, kNow + 1h), .recipient = recipient}));
  EXPECT_EQ(by_proof_["token to come"], 1u);
}

}  // namespace
}  // namespace watchpost::config
