// What strangers can send to a feedback address of a running pipeline: the rules that ship, all of
// them switched on, a real store with real mail in it, and reporters whose signatures are checked.
// Every item is about a real mail, by its Message-ID and its recipient.
#include "auth/results/test_world.h"
#include "config/configuration.h"
#include "feedback/attribution/test_mail.h"
#include "ingest/feedback_reader.h"
#include "ingest/own_failures.h"
#include "ingest/reporters.h"
#include "ingest/sent_mail.h"
#include "ingest/test_pipeline.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::config {
namespace {

using namespace feedback::test;
using ingest::test::kNoon;

constexpr int kMails = 1'000;
constexpr Time kSent = kNoon - 1h;
// Whose word is taken, and who wants it to be theirs.
constexpr std::string_view kListed = "shop.example";
constexpr std::string_view kStranger = "attack.example";

std::string recipient(int number) {
  constexpr std::array<std::string_view, 6> kDomains{"yahoo.com",    "hotmail.com", "comcast.net",
                                                     "fastmail.com", "mail.ru",     "cox.net"};
  const auto domain = kDomains[static_cast<size_t>(number) % kDomains.size()];
  return fmt::format("u{}@{}", number, domain);
}

MailText mail_of(int number, std::string_view reporter) {
  return {.recipient = recipient(number),
          .reporter = std::string(reporter),
          .message_id = fmt::format("m{}@victim.example", number),
          .fields = "Feedback-ID: spring:victim:x:y\r\n"};
}

ingest::PipelineOptions switched_on(const std::string& folder) {
  auto shipped = load(std::string(WATCHPOST_SOURCE_DIR) + "/config/watchpost.toml");
  ingest::PipelineOptions options;
  options.store.path = folder;
  options.detectors = std::move(shipped.value().rules);
  for (detect::Detector& rule : options.detectors) {
    if (rule.mode == Mode::shadow) rule.mode = Mode::enforce;
  }
  options.suppress = std::move(shipped->suppress_rules);
  options.suppressed = std::make_shared<suppress::List>(1);
  return options;
}

class ForgedFeedbackInStore : public ::testing::Test {
 protected:
  void SetUp() override {
    EventBatch batch;
    for (int i = 0; i < kMails; ++i) {
      Event& event = batch.add();
      event.id = hash128(fmt::format("delivered {}", i));
      event.at = kSent;
      event.kind = EventKind::delivered;
      event[Field::customer] = "victim";
      event[Field::campaign] = "spring";
      event[Field::credential] = "victim-api";
      event[Field::source_ip] = "192.0.2.1";
      event[Field::message_id] = batch.keep(fmt::format("m{}@victim.example", i));
      event[Field::recipient] = batch.keep(recipient(i));
      mapping_.apply(event, batch);
    }
    pipeline_.put(std::move(batch));
    ASSERT_TRUE(incidents().empty());
  }

  void take(const std::string& mail, std::vector<std::string> to = {"fbl@example.net"}) {
    // Looking up has a part of each second.
    if (++items_ % 10 == 0) pipeline_.clock.set(pipeline_.clock.now() + 1s);
    ingest::Arrival arrival = reader_.read({.bytes = mail,
                                            .envelope = {.sender = "", .recipients = std::move(to)},
                                            .source = "lmtp",
                                            .at = pipeline_.clock.now(),
                                            .proven_reporter = reporters_.check_now(mail)});
    arrival.source = "lmtp";
    for (const Event& event : arrival.events.events()) {
      ++by_proof_[std::string(event[Field::proof])];
      ++by_way_[std::string(event[Field::attribution])];
    }
    ASSERT_TRUE(pipeline_.pipeline->deliver(std::move(arrival)));
  }
  // When all that was taken is on disk.
  std::vector<Incident> incidents() {
    pipeline_.put({});
    return pipeline_.incidents();
  }
  size_t decisions() {
    size_t made = 0;
    EXPECT_TRUE(pipeline_.pipeline->look([&](const decide::Decider& decider, const detect::Watch&,
                                             Time) { made = decider.decisions().size(); }));
    return made;
  }
  // As a stranger can sign it: not, as themselves in the listed one's name, with a signature that
  // the listed one put on another report, or as themselves.
  std::string signed_somehow(int way, int number, std::string (*report)(const MailText&)) const {
    switch (way) {
      case 0: return report(mail_of(number, kListed));
      case 1: return world_.signed_by(kStranger, report(mail_of(number, kListed)));
      case 2: return own_signature_ + report(mail_of(number, kListed));
      default: return world_.signed_by(kStranger, report(mail_of(number, kStranger)));
    }
  }

  ingest::test::Folder folder_;
  ingest::PipelineOptions options_ = switched_on(folder_.path());
  std::shared_ptr<suppress::List> suppressed_ = options_.suppressed;
  ingest::test::Running pipeline_{options_, kNoon};
  auth::TestWorld world_;
  ingest::Reporters reporters_{
      {std::string(kListed)}, *world_.zone, [] { return dns::Budget(); }, pipeline_.clock};
  ingest::OwnFailures failures_;
  ingest::StoredSentMail sent_{
      options_.store, {.look_back = 24h * 30}, failures_, pipeline_.clock, pipeline_.metrics};
  feedback::Mapping mapping_;
  feedback::AttributionRules rules_ =
      feedback::AttributionRules::from({.feedback_id = {"campaign", "customer", "", ""},
                                        .keys = {{.id = 1, .secret = std::string(kSecret)}}},
                                       24h * 30)
          .value();
  ingest::FeedbackReader reader_{
      std::shared_ptr<const feedback::AttributionRules>(std::shared_ptr<void>(), &rules_),
      feedback::Classifier::shipped(), mapping_, &sent_, pipeline_.metrics};
  // Of a report that the listed one did send, some time.
  std::string own_signature_ = [this] {
    const std::string report = arf_text(mail_of(0, kListed));
    const std::string whole = world_.signed_by(kListed, report);
    return whole.substr(0, whole.size() - report.size());
  }();
  int items_ = 0;
  std::map<std::string, size_t> by_proof_;
  std::map<std::string, size_t> by_way_;
};

std::string complaint(const MailText& mail) { return arf_text(mail); }
std::string withdrawal(const MailText& mail) { return arf_text(mail, "not-spam"); }
std::string bounce(const MailText& mail) { return dsn_text(mail); }

// What the other test rests on: the same mails count where the listed one has signed them.
TEST_F(ForgedFeedbackInStore, WhatAListedReporterSignedCounts) {
  for (int i = 1; i <= 60; ++i) {
    take(world_.signed_by(kListed, complaint(mail_of(i, kListed))));
    take(world_.signed_by(kListed, bounce(mail_of(500 + i, kListed))));
  }
  EXPECT_EQ(by_proof_["reporter"], 120u);
  EXPECT_EQ(by_way_["message_id"], 120u);
  EXPECT_FALSE(incidents().empty());
  EXPECT_GT(decisions(), 0u);
  EXPECT_EQ(suppressed_->size(), 120u);
}

TEST_F(ForgedFeedbackInStore, FourThousandForgedItemsMoveNothing) {
  for (int i = 0; i < 4 * kMails; ++i) {
    const int number = i % kMails;
    const int way = i / kMails;
    switch (i % 4) {
      // The report that the stolen signature is of would be good.
      case 0: take(signed_somehow(way, std::max(number, 1), complaint)); break;
      case 1: take(signed_somehow(way, number, bounce), {recipient(number)}); break;
      case 2: take(signed_somehow(way, number, withdrawal)); break;
      default: take(unsubscribe_text("unsubscribe+victim", recipient(number)));
    }
  }
  EXPECT_EQ(by_proof_["token"], 0u);
  EXPECT_EQ(by_proof_["reporter"], 0u);
  EXPECT_GT(by_way_["message_id"], 2'500u) << "the mails are known, and that proves nothing";
  const auto opened = incidents();
  EXPECT_TRUE(opened.empty()) << opened.front().title;
  EXPECT_EQ(decisions(), 0u);
  EXPECT_EQ(suppressed_->size(), 0u);
}

}  // namespace
}  // namespace watchpost::config
