// Releases, doubts and digests over the quarantine that there is.
#include "net/test_smtp_peer.h"
#include "quarantine/digest.h"
#include "quarantine/links.h"
#include "quarantine/quarantine_fixture.h"
#include "quarantine/releaser.h"

#include <gmock/gmock.h>

namespace watchpost::quarantine {
namespace {

using testing::HasSubstr;

class ReleaseLiveTest : public QuarantineTest {
 protected:
  ~ReleaseLiveTest() override {
    releaser_.reset();
    server_.reset();
  }
  // A mail server whose gate takes tokens, and what it was given behind the first field.
  void serve(std::function<std::string(const std::string&)> answer = {}) {
    server_ = std::make_unique<net::SmtpPeer>(
        [answer](const std::string& command) {
          const std::string said = answer ? answer(command) : std::string();
          return said.empty() ? net::SmtpPeer::plain(command) : said == "close" ? "" : said;
        },
        [this](const std::string& message) -> std::string {
          const size_t end = message.find("\r\n");
          const size_t value = kReleaseField.size() + 2;
          const auto redeemed = redeem(message.substr(value, end - value), message.substr(end + 2));
          return redeemed ? "" : "451 4.7.1 not now\r\n";
        });
  }
  void start() {
    QuarantineSettings settings;
    settings.release_to = server_->address();
    releaser_ = std::make_unique<Releaser>(Releaser::Parts{
        .quarantine = it(),
        .settings = settings,
        .held_back = {},
        .find_in_log = [this](std::string_view queue_id, Time) -> Result<LogWord> {
          EXPECT_EQ(queue_id, "4cABC");
          return word_.load();
        },
        .clock = clock_,
        .metrics = metrics_,
        .patience = {.reply = std::chrono::seconds(5), .final_reply = std::chrono::seconds(5)}});
    releaser_->start();
  }
  bool becomes(const std::function<bool()>& so) {
    for (int i = 0; i < 1000 && !so(); ++i) {
      releaser_->wake();
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return so();
  }
  HeldId release_one(const std::string& bytes = "Subject: x\r\n\r\n.\r\nText") {
    const HeldId id = keep(message_for({"ann@receiver.example", "bob@receiver.example"}), bytes);
    EXPECT_EQ(value_of(it().release(id, {}, {.by = "eve"})), 2u);
    return id;
  }

  std::atomic<LogWord> word_ = LogWord::nothing;
  std::unique_ptr<net::SmtpPeer> server_;
  std::unique_ptr<Releaser> releaser_;
};

TEST_F(ReleaseLiveTest, EachMessageArrivesOnceAsItWas) {
  serve();
  std::vector<HeldId> all;
  for (int i = 0; i < 40; ++i) {
    all.push_back(release_one(fmt::format("Subject: {}\r\n\r\n.\r\n..\r\nText", i)));
  }
  start();
  ASSERT_TRUE(becomes([&] { return value_of(it().usage()).copies == 0; }));
  for (const HeldId& id : all) {
    EXPECT_EQ(state_of(id), CopyState::released);
    EXPECT_EQ(copy_of(id, 1).note, "");  // of other bytes redeem() would have said so
  }
  EXPECT_EQ(server_->messages().size(), all.size());
  EXPECT_EQ(files(), 0u);
  EXPECT_EQ(metrics_.counter("watchpost_quarantine_unasked", "").value(), 0u);
}

TEST_F(ReleaseLiveTest, ADoubtOutlivesAStartAndIsSettledByTheLog) {
  std::atomic<bool> breaks = true;
  serve([&](const std::string& command) {
    return command == "." && breaks.exchange(false) ? "close" : "";
  });
  const HeldId id = release_one();
  start();
  ASSERT_TRUE(becomes([&] { return !value_of(it().in_doubt()).empty(); }));
  releaser_.reset();
  open();
  start();
  EXPECT_FALSE(becomes([&] { return state_of(id) != CopyState::leaving; }));
  word_ = LogWord::refused;
  clock_.pass(std::chrono::seconds(5));
  ASSERT_TRUE(becomes([&] { return state_of(id, 1) == CopyState::released; }));
  EXPECT_EQ(server_->messages().size(), 2u);
}

TEST_F(ReleaseLiveTest, APersonSettlesIt) {
  std::atomic<bool> breaks = true;
  serve([&](const std::string& command) {
    return command == "." && breaks.exchange(false) ? "close" : "";
  });
  const HeldId id = release_one();
  start();
  ASSERT_TRUE(becomes([&] { return !value_of(it().in_doubt()).empty(); }));
  clock_.pass(std::chrono::minutes(6));
  ASSERT_TRUE(becomes([&] { return !copy_of(id).note.empty(); }));
  ASSERT_TRUE(becomes([&] { return copy_of(id).note.find("--arrived") != std::string::npos; }));
  EXPECT_EQ(value_of(releaser_->settle(id, Settlement::arrived, "eve")), 2u);
  EXPECT_EQ(state_of(id), CopyState::released);
  EXPECT_EQ(server_->messages().size(), 1u);
}

TEST_F(ReleaseLiveTest, PutOffIsDueLaterAndSaysWhy) {
  const HeldId id = release_one();
  const auto due = value_of(it().due(10));
  value_of(it().put_off(due, kNoon + std::chrono::seconds(30), "a decision is against it"));
  EXPECT_TRUE(value_of(it().due(10)).empty());
  EXPECT_EQ(copy_of(id, 1).note, "a decision is against it");
  EXPECT_EQ(state_of(id), CopyState::due);
  clock_.pass(std::chrono::seconds(30));
  EXPECT_EQ(value_of(it().due(10)).size(), 1u);
  // What is not due any more is left alone.
  value_of(it().hold_again({}, "eve", "no"));
  value_of(it().put_off(due, kNoon, "late"));
  EXPECT_EQ(copy_of(id).note, "no");
}

class DigestLiveTest : public ReleaseLiveTest {
 protected:
  size_t send() {
    Digest digest({.quarantine = it(),
                   .settings = {.digest_at = "07:30",
                                .digest_relay = server_->address(),
                                .digest_from = "quarantine@receiver.example",
                                .digest_link = "https://mail.receiver.example/quarantine"},
                   .clock = clock_,
                   .metrics = metrics_});
    return value_of(digest.send_due());
  }
};

TEST_F(DigestLiveTest, IsSentOnceADayWhateverStarts) {
  server_ = std::make_unique<net::SmtpPeer>();
  HeldMessage outbound = message_for({"stranger@elsewhere.example"}, "outbound");
  outbound.direction = Direction::outbound;
  keep(outbound, "Subject: 1\r\n\r\n");
  HeldMessage certain = message_for({"cat@receiver.example"}, "certain");
  certain.certain = true;
  keep(certain, "Subject: 2\r\n\r\n");
  const HeldId id = keep_one({"Ann@receiver.example", "bob@receiver.example"});
  clock_.pass(std::chrono::hours(1));
  EXPECT_EQ(send(), 2u);
  keep_one({"dora@receiver.example"});
  open();
  clock_.pass(std::chrono::hours(1));
  EXPECT_EQ(send(), 0u);  // the day is over
  const auto commands = server_->commands();
  EXPECT_EQ(std::ranges::count(commands, "RCPT TO:<ann@receiver.example>"), 1);
  EXPECT_EQ(std::ranges::count(commands, "RCPT TO:<bob@receiver.example>"), 1);
  EXPECT_EQ(std::ranges::count_if(commands, [](auto& one) { return one.starts_with("RCPT"); }), 2);
  clock_.pass(std::chrono::hours(24));
  EXPECT_EQ(send(), 1u);
  EXPECT_THAT(server_->messages().back(), HasSubstr("To: dora@receiver.example\r\n"));
  // A link asks once.
  const std::string token = make_link_token(it().link_secret(), id, "ann@receiver.example",
                                            clock_.now() + std::chrono::hours(1));
  const auto link = value_of(read_link_token(it().link_secret(), token, clock_.now()));
  const auto recipient = recipient_of(link, value_of(it().find(link.id)));
  ASSERT_TRUE(recipient);
  EXPECT_TRUE(value_of(it().request(link.id, *recipient)));
  EXPECT_FALSE(value_of(it().request(link.id, *recipient)));
}

TEST_F(DigestLiveTest, WhatAPersonWasToldIsErasedWithIt) {
  value_of(it().mark_digest("ann@receiver.example", {.day = kNoon + std::chrono::hours(24)}));
  keep_one();
  EXPECT_TRUE(value_of(it().digest_due(kNoon, 10)).empty());
  value_of(it().erase_person("Ann@receiver.example", "eve"));
  keep_one();
  const auto due = value_of(it().digest_due(kNoon, 10));
  ASSERT_EQ(due.size(), 1u);
  EXPECT_EQ(due[0].recipient, "ann@receiver.example");
  EXPECT_EQ(due[0].last.day, Time{});
}

}  // namespace
}  // namespace watchpost::quarantine
