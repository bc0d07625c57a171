#include "border/inbound/test_gate.h"
#include "border/outbound/test_support.h"
#include "border/release.h"
#include "quarantine/quarantine_fixture.h"
#include "quarantine/settle.h"

#include <future>
#include <string>

#include <gtest/gtest.h>

namespace watchpost::border {
namespace {

// What a gate answers, whenever that is.
Answer answer_of(Handler& gate, const Transaction& mail) {
  std::promise<Answer> given;
  gate.at_end(std::make_shared<const Transaction>(mail), [&](Answer one) {
    given.set_value(std::move(one));
    return true;
  });
  return given.get_future().get();
}

// As the releaser hands in what an attempt is for.
Transaction handed_in(const quarantine::Attempt& attempt, const quarantine::HeldContent& content) {
  Transaction mail;
  mail.client_ip = parse_ip_address("127.0.0.1");
  mail.helo = kReleaseHelo;
  mail.mail_from = "<" + attempt.message.sender + ">";
  for (const quarantine::Copy& one : attempt.message.copies) {
    mail.recipients.push_back({.address = one.recipient, .arguments = one.arguments});
  }
  mail.macros["i"] = "4Released";
  mail.message = "X-Watchpost-Release: " + attempt.token + "\r\n" + content.message;
  mail.size = mail.message.size();
  mail.release_fields = 1;
  mail.began = *parse_time("2026-11-24T13:00:00Z");
  return mail;
}

struct RealQuarantine : quarantine::QuarantineTest {
  // The one attempt for all that is due of a message.
  quarantine::Attempt attempt_for(const quarantine::HeldId& id) {
    EXPECT_TRUE(it().release(id, {}, {.by = "kim", .at = {}}));
    return begin_one();
  }
  quarantine::HeldMessage only_one() {
    const auto page = it().list({});
    EXPECT_TRUE(page);
    EXPECT_EQ(page->messages.size(), 1u);
    return page->messages.at(0);
  }
};

struct InboundWorld : GateWorld {
  void TestBody() override {}
};

// Kept, released, and refused for now where the token was used.
TEST_F(RealQuarantine, AMessageGoesInAndOutOnce) {
  InboundWorld world;
  world.settings.settings.dmarc_reject = "quarantine";
  world.quarantine = &it();
  const auto gate = inbound_gate("inbound", Mode::enforce, world.context());
  const auto mail = GateWorld::forged("Subject: x\r\n");
  EXPECT_EQ(answer_of(*gate, *mail).kind, Answer::Kind::discard);
  EXPECT_EQ(answer_of(*gate, *mail).kind, Answer::Kind::discard) << "it came again";
  const quarantine::HeldMessage held = only_one();
  const auto content = it().read(held.id);
  ASSERT_TRUE(content);
  EXPECT_EQ(content->message, mail->message);
  const Transaction released = handed_in(attempt_for(held.id), *content);
  const Answer passes = answer_of(*gate, released);
  EXPECT_EQ(passes.kind, Answer::Kind::proceed);
  EXPECT_EQ(passes.header.size(), 1u);
  EXPECT_EQ(answer_of(*gate, released).kind, Answer::Kind::tempfail) << "the token was used";
}

TEST_F(RealQuarantine, AHoldKeepsAndItsReleaseCounts) {
  OutboundWorld world;
  world.quarantine = &it();
  world.holds = true;
  world.decide({{"campaign=news", "hold 1h"}, {"recipient_domain=gmail.com", "hold 2h"}});
  Transaction mail = mail_of();
  mail.recipients.push_back({.address = "b@corp.example", .arguments = "", .refused = false});
  EXPECT_EQ(answer_of(world.gate(), mail).kind, Answer::Kind::discard);
  const auto page = it().list({.decision = DecisionId{1}});
  ASSERT_TRUE(page);
  ASSERT_EQ(page->messages.size(), 1u);
  const quarantine::HeldMessage& held = page->messages[0];
  EXPECT_EQ(held.copies.at(0).recipient, "b@corp.example");
  const auto content = it().read(held.id);
  ASSERT_TRUE(content);
  EXPECT_EQ(answer_of(world.gate(), handed_in(attempt_for(held.id), *content)).kind,
            Answer::Kind::proceed);
  world.handler.reset();  // what the gate tells it tells before it ends
  const Event event = world.sink.events().back();
  EXPECT_EQ(event.kind, EventKind::accepted);
  EXPECT_EQ(event[Field::credential], "jo@shop.example");
  EXPECT_EQ(event[Field::campaign], "news");
  // That we let it pass does not say that it arrived.
  EXPECT_EQ(quarantine::word_of({&event, 1}), quarantine::LogWord::nothing);
}

TEST_F(RealQuarantine, WhatIsStoppedTakesNothing) {
  InboundWorld world;
  world.settings.settings.dmarc_reject = "quarantine";
  world.quarantine = &it();
  const auto gate = inbound_gate("inbound", Mode::enforce, world.context());
  it().stop();
  EXPECT_EQ(answer_of(*gate, *GateWorld::forged()).kind, Answer::Kind::tempfail);
}

}  // namespace
}  // namespace watchpost::border
