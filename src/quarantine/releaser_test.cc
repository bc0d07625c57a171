#include "quarantine/releaser.h"

#include "net/test_smtp_peer.h"
#include "quarantine/test_quarantine.h"

#include <chrono>
#include <functional>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::quarantine {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

// A mail server that asks the milter, as its gate would hear it.
class ReleaserTest : public testing::Test {
 protected:
  HeldId add(std::vector<std::string> recipients, Direction direction = Direction::inbound,
             std::string bytes = "Subject: x\r\n\r\nHi\r\n") {
    HeldMessage message;
    message.direction = direction;
    message.sender = "jo@shop.example";
    for (std::string& one : recipients) {
      message.copies.push_back({.recipient = std::move(one), .state = CopyState::due});
    }
    return quarantine_.add(std::move(message), std::move(bytes));
  }
  HeldId add_paced() {
    HeldMessage message;
    message.copies = {{.recipient = "kim@x", .state = CopyState::due, .paced = true},
                      {.recipient = "lee@x", .state = CopyState::due}};
    return quarantine_.add(std::move(message), "x\r\n");
  }

  void serve(std::function<std::string(const std::string&)> answer = {}) {
    server_ = std::make_unique<net::SmtpPeer>(
        [answer](const std::string& command) {
          const std::string said = answer ? answer(command) : std::string();
          return said.empty() ? net::SmtpPeer::plain(command) : said == "close" ? "" : said;
        },
        // At the end of a message the mail server asks for its token.
        [this](const std::string& message) {
          const std::string token = message.substr(message.find(": ") + 2, 64);
          const bool taken = !asks_ || quarantine_.take_token(token, "4F2A");
          return std::string(taken ? "" : "451 4.7.1 not one of ours\r\n");
        });
  }
  void start(Releaser::HeldBack held_back = {}) {
    QuarantineSettings settings;
    if (server_) settings.release_to = server_->address();
    if (outbound_) settings.release_outbound_to = outbound_->address();
    releaser_ = std::make_unique<Releaser>(Releaser::Parts{
        .quarantine = quarantine_,
        .settings = settings,
        .held_back = std::move(held_back),
        .find_in_log = [this](std::string_view, Time) -> Result<LogWord> { return word_.load(); },
        .clock = clock_,
        .metrics = metrics_,
        .patience = {.reply = std::chrono::seconds(60),
                     .final_reply = std::chrono::seconds(60),
                     .at_stop = std::chrono::milliseconds(50)}});
    releaser_->start();
  }
  // Until it is so, for a minute; the releaser looks all the time.
  bool becomes(const std::function<bool()>& so) {
    for (int i = 0; i < 12'000 && !so(); ++i) {
      releaser_->wake();
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return so();
  }
  bool becomes(const HeldId& id, std::string_view recipient, CopyState state) {
    return becomes([&] { return quarantine_.copy(id, recipient).state == state; });
  }
  uint64_t counted(std::string_view family, Labels labels = {}) {
    return metrics_.counter(family, "", std::move(labels)).value();
  }

  HandClock clock_{"2026-11-29T12:00:00Z"};
  Metrics metrics_;
  MemoryQuarantine quarantine_{clock_};
  std::atomic<LogWord> word_ = LogWord::nothing;
  std::atomic<bool> asks_ = true;
  std::unique_ptr<net::SmtpPeer> server_, outbound_;
  std::unique_ptr<Releaser> releaser_;
};

TEST_F(ReleaserTest, HandsInEachCopyOnce) {
  serve();
  const HeldId id = add({"kim@x", "lee@x"});
  start();
  ASSERT_TRUE(becomes(id, "lee@x", CopyState::released));
  EXPECT_EQ(quarantine_.copy(id, "kim@x").state, CopyState::released);
  ASSERT_EQ(server_->messages().size(), 1u);
  EXPECT_THAT(server_->messages()[0], StartsWith("X-Watchpost-Release: 00"));
  EXPECT_THAT(server_->messages()[0], HasSubstr("\r\nSubject: x\r\n\r\nHi\r\n"));
  EXPECT_THAT(server_->commands(), Contains("RCPT TO:<lee@x>"));
  EXPECT_THAT(server_->commands(), Contains("EHLO release.watchpost.invalid"));
  EXPECT_EQ(counted("watchpost_quarantine_releases", {{"result", "released"}}), 2u);
  EXPECT_EQ(counted("watchpost_quarantine_unasked"), 0u);
}

TEST_F(ReleaserTest, ManyGoByFewConnections) {
  serve();
  std::vector<HeldId> ids;
  for (int i = 0; i < 300; ++i) ids.push_back(add({"kim@x"}));
  start();
  for (const HeldId& id : ids) ASSERT_TRUE(becomes(id, "kim@x", CopyState::released));
  EXPECT_EQ(server_->messages().size(), 300u);
  EXPECT_LE(server_->connections(), 4);
}

TEST_F(ReleaserTest, OutboundHasADoorOfItsOwn) {
  serve();
  outbound_ = std::make_unique<net::SmtpPeer>();
  const HeldId in = add({"kim@x"});
  const HeldId out = add({"kim@x"}, Direction::outbound);
  start();
  ASSERT_TRUE(becomes(in, "kim@x", CopyState::released));
  ASSERT_TRUE(becomes(out, "kim@x", CopyState::released));
  EXPECT_EQ(server_->messages().size(), 1u);
  EXPECT_EQ(outbound_->messages().size(), 1u);
  // That one never asked for the token.
  ASSERT_TRUE(becomes([&] { return counted("watchpost_quarantine_unasked") == 1; }));
}

TEST_F(ReleaserTest, WithoutADoorItWaitsAndSaysWhy) {
  const HeldId id = add({"kim@x"});
  start();
  ASSERT_TRUE(becomes([&] { return !quarantine_.copy(id, "kim@x").note.empty(); }));
  EXPECT_THAT(quarantine_.copy(id, "kim@x").note, HasSubstr("release_to"));
  EXPECT_EQ(quarantine_.copy(id, "kim@x").state, CopyState::due);
}

TEST_F(ReleaserTest, ARefusedRecipientIsHeldAndTheOthersGoAtOnce) {
  serve([](const std::string& command) {
    return command == "RCPT TO:<kim@x>" ? "550 5.1.1 no such user\r\n" : "";
  });
  const HeldId id = add({"kim@x", "lee@x"});
  start();
  ASSERT_TRUE(becomes(id, "lee@x", CopyState::released));
  const Copy kim = quarantine_.copy(id, "kim@x");
  EXPECT_EQ(kim.state, CopyState::held);
  EXPECT_EQ(kim.note, "550 5.1.1 no such user");
  EXPECT_EQ(server_->messages().size(), 1u);
}

TEST_F(ReleaserTest, ANoForNowIsTriedLater) {
  std::atomic<bool> no = true;
  serve([&](const std::string& command) {
    return command == "MAIL FROM:<jo@shop.example> SIZE=105" && no ? "451 4.3.0 later\r\n" : "";
  });
  const HeldId id = add({"kim@x"});
  start();
  ASSERT_TRUE(becomes([&] { return !quarantine_.copy(id, "kim@x").note.empty(); }));
  const Copy kim = quarantine_.copy(id, "kim@x");
  EXPECT_EQ(kim.state, CopyState::due);
  EXPECT_THAT(kim.note, HasSubstr("451 4.3.0 later"));
  EXPECT_GE(kim.release_at, clock_.now() + std::chrono::seconds(15));
  EXPECT_LE(kim.release_at, clock_.now() + std::chrono::seconds(30));
  no = false;
  clock_.move(std::chrono::seconds(30));
  ASSERT_TRUE(becomes(id, "kim@x", CopyState::released));
}

TEST_F(ReleaserTest, AServerThatIsNotThereIsTriedForOneOfThem) {
  serve();
  const std::string address = server_->address();
  std::vector<HeldId> ids;
  for (int i = 0; i < 50; ++i) ids.push_back(add({"kim@x"}));
  QuarantineSettings settings;
  {
    settings.release_to = net::SmtpPeer().address();
  }
  Releaser releaser({.quarantine = quarantine_,
                     .settings = settings,
                     .held_back = {},
                     .find_in_log = {},
                     .clock = clock_,
                     .metrics = metrics_,
                     .lanes = 1});
  releaser.start();
  for (int i = 0; i < 400; ++i) {
    releaser.wake();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  releaser.stop();
  for (const HeldId& id : ids) {
    EXPECT_EQ(quarantine_.copy(id, "kim@x").state, CopyState::due);
    EXPECT_GT(quarantine_.copy(id, "kim@x").release_at, clock_.now());
    EXPECT_LE(quarantine_.copy(id, "kim@x").release_at, clock_.now() + std::chrono::seconds(5));
    EXPECT_THAT(quarantine_.copy(id, "kim@x").note, Not(IsEmpty()));
  }
}

TEST_F(ReleaserTest, PacedCopiesWaitWhileADecisionIsAgainstThem) {
  serve();
  std::atomic<bool> against = true;
  const HeldId id = add_paced();
  start([&](const HeldMessage&) -> std::optional<std::string> {
    if (against) return "decision d-17 holds mail of this login";
    return std::nullopt;
  });
  ASSERT_TRUE(becomes(id, "lee@x", CopyState::released));
  ASSERT_TRUE(becomes([&] { return !quarantine_.copy(id, "kim@x").note.empty(); }));
  EXPECT_EQ(quarantine_.copy(id, "kim@x").state, CopyState::due);
  EXPECT_EQ(quarantine_.copy(id, "kim@x").note, "decision d-17 holds mail of this login");
  EXPECT_EQ(quarantine_.copy(id, "kim@x").release_at, clock_.now() + std::chrono::seconds(30));
  against = false;
  clock_.move(std::chrono::seconds(30));
  ASSERT_TRUE(becomes(id, "kim@x", CopyState::released));
}

TEST_F(ReleaserTest, WhatCannotBeReadOrSentIsHeldAgain) {
  serve();
  const HeldId lone = add({"kim@x"}, Direction::inbound, "a\n.\nb\r\n");
  start();
  ASSERT_TRUE(becomes(lone, "kim@x", CopyState::held));
  EXPECT_THAT(quarantine_.copy(lone, "kim@x").note, HasSubstr("line end"));
  quarantine_.corrupt = true;
  const HeldId rotten = add({"kim@x"});
  ASSERT_TRUE(becomes(rotten, "kim@x", CopyState::held));
  EXPECT_THAT(quarantine_.copy(rotten, "kim@x").note, HasSubstr("cannot be read"));
  EXPECT_THAT(server_->messages(), IsEmpty());
}

TEST_F(ReleaserTest, ATokenThatNobodyTookDiesAndTheCopyGoesOutAgain) {
  std::atomic<int> ends = 0;
  asks_ = false;
  serve([&](const std::string& command) { return command == "." && ++ends == 1 ? "close" : ""; });
  const HeldId id = add({"kim@x"});
  start();
  ASSERT_TRUE(becomes([&] { return ends == 1; }));
  const Gauge& doubts = metrics_.gauge("watchpost_quarantine_in_doubt", "");
  ASSERT_TRUE(becomes([&] { return doubts.value() == 1; }));
  EXPECT_EQ(quarantine_.copy(id, "kim@x").state, CopyState::leaving);  // it may still ask
  asks_ = true;
  clock_.move(std::chrono::seconds(61));
  ASSERT_TRUE(becomes(id, "kim@x", CopyState::released));
  const std::string token = server_->messages()[0].substr(21, 64);
  EXPECT_FALSE(quarantine_.take_token(token, "4F2A"));
  EXPECT_EQ(server_->messages().size(), 2u);
}

TEST_F(ReleaserTest, WhatWasTakenWithoutAnAnswerIsFoundInTheLog) {
  std::atomic<bool> breaks = true;  // the mail server looks at it until the next one is there
  for (const LogWord word : {LogWord::arrived, LogWord::refused}) {
    word_ = LogWord::nothing;
    breaks = true;
    serve([&](const std::string& command) {
      return command == "." && breaks.exchange(false) ? "close" : "";
    });
    const HeldId id = add({"kim@x"});
    start();
    ASSERT_TRUE(becomes([&] { return quarantine_.in_doubt()->size() == 1; }));
    EXPECT_EQ(quarantine_.copy(id, "kim@x").state, CopyState::leaving);
    word_ = word;
    clock_.move(std::chrono::seconds(5));
    ASSERT_TRUE(becomes(id, "kim@x", CopyState::released));
    EXPECT_EQ(server_->messages().size(), word == LogWord::arrived ? 1u : 2u);
    releaser_.reset();
  }
}

TEST_F(ReleaserTest, WhatADiskCannotNoteIsNotedLater) {
  serve([&](const std::string& command) {
    if (command == ".") quarantine_.broken_disk = true;
    return std::string();
  });
  const HeldId id = add({"kim@x"});
  start();
  ASSERT_TRUE(becomes([&] { return quarantine_.broken_disk.load(); }));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(quarantine_.copy(id, "kim@x").state, CopyState::leaving);
  quarantine_.broken_disk = false;
  ASSERT_TRUE(becomes(id, "kim@x", CopyState::released));
  EXPECT_EQ(server_->messages().size(), 1u);
}

TEST_F(ReleaserTest, AStopLeavesInDoubtWhatHasNoAnswer) {
  serve([](const std::string& command) {
    return command == "." ? std::string(net::SmtpPeer::kSilence) : std::string();
  });
  const HeldId id = add({"kim@x"});
  start();
  ASSERT_TRUE(becomes([&] { return !server_->messages().empty(); }));
  releaser_->stop();
  EXPECT_EQ(quarantine_.copy(id, "kim@x").state, CopyState::leaving);
  EXPECT_EQ(quarantine_.in_doubt()->size(), 1u);
}

}  // namespace
}  // namespace watchpost::quarantine
