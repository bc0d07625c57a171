#include "border/release.h"

#include "border/inbound/test_gate.h"
#include "border/test_keeper.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::border {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Kind = Answer::Kind;

const std::string kToken(64, 'a');

struct ReleasedMail : GateWorld {
  ReleasedMail() {
    quarantine = &keeper;
    settings.settings.dmarc_reject = "quarantine";
    quarantine::HeldMessage held;
    held.client_ip = "203.0.113.66";
    held.message_id = "1@bank.example";
    held.author_domain = "bank.example";
    keeper.tokens.emplace_back(kToken, held);
  }

  // As the releaser hands it in.
  static std::shared_ptr<Transaction> released(const std::string& token = kToken,
                                               std::string_view fields = {}) {
    auto mail = forged(fields);
    mail->client_ip = parse_ip_address("127.0.0.1");
    mail->helo = kReleaseHelo;
    mail->message = "X-Watchpost-Release: " + token + "\r\n" + mail->message;
    mail->release_fields = 1;
    return mail;
  }
  static std::shared_ptr<Transaction> from_elsewhere(const std::string& token) {
    auto mail = released(token);
    mail->client_ip = parse_ip_address("203.0.113.66");
    mail->helo = "bank.example";
    return mail;
  }
  static HeaderChange removal(std::string_view name, uint32_t place = 1) {
    return {
        .kind = HeaderChange::Kind::remove, .place = place, .name = std::string(name), .value = {}};
  }
  const Event& event() { return events.all.back().events.events()[0]; }
  bool counted() {
    return metrics.text().find(
               "watchpost_border_release_tokens_refused_total{gate=\"inbound\"} 1") !=
           std::string::npos;
  }

  TestKeeper keeper;
};

TEST_F(ReleasedMail, GoesOutUnchanged) {
  // Whoever asks DNS fails.
  const auto mail = released();
  EXPECT_EQ(answer(mail), (Answer{.header = {removal("X-Watchpost-Release")}}));
  ASSERT_EQ(keeper.redeemed.size(), 1u);
  EXPECT_EQ(keeper.redeemed[0].token, kToken);
  EXPECT_EQ(keeper.redeemed[0].queue_id, "4F2A");
  EXPECT_EQ(keeper.redeemed[0].message, forged()->message);
  EXPECT_TRUE(keeper.kept.empty());
  EXPECT_EQ(reputation.size(), 0u);
  ASSERT_EQ(events.all.size(), 1u);
  EXPECT_EQ(event().kind, EventKind::judged);
  EXPECT_EQ(event().direction, Direction::inbound);
  EXPECT_TRUE(event().self_inflicted);
  EXPECT_EQ(event()[Field::disposition], "accept");
  EXPECT_EQ(event()[Field::findings], "released");
  EXPECT_EQ(event()[Field::client_ip], "203.0.113.66");
  EXPECT_EQ(event()[Field::message_id], "1@bank.example");
  EXPECT_EQ(event()[Field::queue_id], "4F2A");
  EXPECT_EQ(event()[Field::recipient], "you@example.org");
}

TEST_F(ReleasedMail, WhatClaimsToBeOursLeavesItAsItWouldHaveAtFirst) {
  const auto mail = released(kToken,
                             "Authentication-Results: mx.example.org; dmarc=pass\r\n"
                             "X-Watchpost: accept\r\nX-Watchpost-Release: of a stranger\r\n");
  mail->release_fields = 2;
  EXPECT_EQ(answer(mail).header,
            (std::vector{removal("Authentication-Results"), removal("X-Watchpost"),
                         removal("X-Watchpost-Release", 2), removal("X-Watchpost-Release")}));
}

TEST_F(ReleasedMail, ModesThatLookOnRedeemToo) {
  EXPECT_EQ(answer(released(), Mode::shadow), (Answer{.header = {removal("X-Watchpost-Release")}}));
  EXPECT_THAT(keeper.tokens, IsEmpty());
  EXPECT_EQ(event()[Field::findings], "released");
}

TEST_F(ReleasedMail, ATokenIsGoodOnce) {
  const auto gate = inbound_gate("inbound", Mode::enforce, context());
  EXPECT_EQ(end(*gate, released()).kind, Kind::proceed);
  EXPECT_FALSE(counted());
  EXPECT_EQ(end(*gate, released()).kind, Kind::tempfail) << "it may be late, and sent again";
  EXPECT_TRUE(counted());
  EXPECT_TRUE(keeper.kept.empty());
}

TEST_F(ReleasedMail, AForgedTokenIsWorthNothingAndLeaves) {
  settings.settings.dmarc_reject = "tag";
  for (const std::string& token : {std::string(64, 'b'), std::string(), std::string(50'000, 'a')}) {
    const Answer got = answer(from_elsewhere(token));
    EXPECT_EQ(got.kind, Kind::proceed);
    EXPECT_THAT(got.header, Contains(removal("X-Watchpost-Release")));
    EXPECT_EQ(event()[Field::disposition], "tag");
    EXPECT_THAT(std::string(event()[Field::findings]), Not(HasSubstr("released")));
  }
  EXPECT_TRUE(metrics.text().find("release_tokens_refused_total{gate=\"inbound\"} 3") !=
              std::string::npos);
  EXPECT_EQ(answer(from_elsewhere("x"), Mode::shadow).header,
            std::vector{removal("X-Watchpost-Release")});
  EXPECT_TRUE(keeper.redeemed.empty()) << "a stranger does not get to ask";
  EXPECT_EQ(keeper.tokens.size(), 1u);
  // Whoever says that he releases gains a refusal.
  for (const std::string& token : {std::string(64, 'b'), std::string(), std::string(50'000, 'a')}) {
    EXPECT_EQ(answer(released(token)).kind, Kind::tempfail);
  }
}

TEST_F(ReleasedMail, ATokenThatDoesNotComeFirstIsNone) {
  settings.settings.dmarc_reject = "tag";
  auto mail = forged("X-Watchpost-Release: " + kToken + "\r\n");
  mail->release_fields = 1;
  EXPECT_THAT(answer(mail).header, Contains(removal("X-Watchpost-Release")));
  EXPECT_TRUE(keeper.redeemed.empty());
}

TEST_F(ReleasedMail, TheFieldLeavesWhereThereIsNoQuarantine) {
  quarantine = nullptr;
  settings.settings.dmarc_reject = "tag";
  EXPECT_THAT(answer(released()).header, Contains(removal("X-Watchpost-Release")));
}

TEST_F(ReleasedMail, InTroubleItComesAgain) {
  keeper.trouble = Error{.code = Code::unavailable, .what = "the disk is read-only", .about = {}};
  for (const Mode mode : {Mode::enforce, Mode::shadow}) {
    const Answer got = answer(released(), mode);
    EXPECT_EQ(got.kind, Kind::tempfail);
    EXPECT_TRUE(got.reply.starts_with("451 4.3.0 ")) << got.reply;
  }
  EXPECT_TRUE(events.all.empty());
}

TEST_F(ReleasedMail, APartOfItIsNotIt) {
  auto mail = released();
  mail->cut = true;
  EXPECT_EQ(answer(mail).kind, Kind::tempfail);
  EXPECT_TRUE(keeper.redeemed.empty());
}

TEST_F(ReleasedMail, WithoutAVerdictItComesAgainWhateverIsConfigured) {
  settings.settings.trouble = settings.settings.overload = "accept";
  const auto gate = inbound_gate("inbound", Mode::shadow, context());
  for (const Trouble trouble : {Trouble::deadline, Trouble::overload, Trouble::internal}) {
    EXPECT_EQ(gate->in_trouble(*released(), trouble).kind, Kind::tempfail);
    EXPECT_EQ(gate->in_trouble(*forged(), trouble).kind, Kind::proceed);
    auto without = released();
    without->release_fields = 0;
    EXPECT_EQ(gate->in_trouble(*without, trouble).kind, Kind::tempfail);
  }
}

// What decisions say of a recipient is said at the end, where it has no token.
TEST_F(ReleasedMail, DecisionsAreAskedAtTheEndOfWhatHasNoToken) {
  decide({enforce::make_decision(17, "recipient=you@example.org", "block 1h")});
  const auto gate = inbound_gate("inbound", Mode::enforce, context());
  const auto mail = released();
  EXPECT_EQ(gate->at_recipient(*mail, mail->recipients[0]), Answer{});
  EXPECT_EQ(end(*gate, mail).kind, Kind::proceed) << "a person ordered it";
  auto without_token = released();
  without_token->message = forged()->message;
  without_token->release_fields = 0;
  const Answer refused = end(*gate, without_token);
  EXPECT_EQ(refused.kind, Kind::reject);
  EXPECT_TRUE(refused.reply.ends_with("(watchpost d-17)")) << refused.reply;
  auto stranger = released();
  stranger->client_ip = parse_ip_address("203.0.113.66");
  EXPECT_EQ(gate->at_recipient(*stranger, stranger->recipients[0]).kind, Kind::reject);
  quarantine = nullptr;
  const auto without = inbound_gate("without", Mode::enforce, context());
  EXPECT_EQ(without->at_recipient(*mail, mail->recipients[0]).kind, Kind::reject);
}

TEST_F(ReleasedMail, TheAnswerWaits) {
  keeper.slow = true;
  std::optional<Answer> given;
  {
    const auto gate = inbound_gate("inbound", Mode::enforce, context());
    gate->at_end(released(), [&](Answer one) {
      given = std::move(one);
      return true;
    });
    EXPECT_FALSE(given);
    keeper.go_on();
  }
  ASSERT_TRUE(given);
  EXPECT_EQ(given->kind, Kind::proceed);
}

}  // namespace
}  // namespace watchpost::border
