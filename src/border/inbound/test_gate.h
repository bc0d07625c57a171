#pragma once
#include "auth/results/test_world.h"
#include "border/gate.h"
#include "border/inbound/judge.h"
#include "enforce/test_support.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace watchpost::border {

// Takes all events, until it is told that it is full.
class TakenEvents final : public ingest::EventSink {
 public:
  bool deliver(ingest::Arrival arrival) override {
    if (full) return false;
    all.push_back(std::move(arrival));
    return true;
  }
  std::vector<ingest::Arrival> all;
  bool full = false;
};

// A gate for mail to example.org, with the world of auth::TestWorld around it.
struct GateWorld : testing::Test {
  explicit GateWorld(std::string_view more_dns = {}) : world(more_dns) {
    settings.identity.authserv_id = "mx.example.org";
    settings.version = "rules-1";
  }

  BorderContext context() {
    rules.set(std::make_shared<const Rules>(settings));
    return {.rules = rules,
            .resolver = resolver != nullptr ? *resolver : *world.zone,
            .budget = [] { return dns::Budget{}; },
            .active = active,
            .mapping = mapping,
            .reputation = reputation,
            .events = events,
            .storing = [this] { return storing; },
            .clock = clock,
            .metrics = metrics,
            .quarantine = quarantine};
  }

  static std::shared_ptr<Transaction> from(const auth::Connection& connection,
                                           std::string message) {
    auto mail = std::make_shared<Transaction>();
    mail->client_ip = connection.ip;
    mail->client_name = "client.example";
    mail->client_port = 4321;
    mail->helo = connection.helo;
    mail->mail_from = connection.mail_from;
    mail->recipients = {{.address = "you@example.org", .arguments = {}}};
    mail->macros["i"] = "4F2A";
    mail->size = message.size();
    mail->message = std::move(message);
    mail->began = *parse_time("2026-11-24T12:00:00Z");
    return mail;
  }
  // Mail of the shop, by its own server: nothing is wrong with it.
  std::shared_ptr<Transaction> good() const {
    return from(
        auth::TestWorld::shop(),
        world.signed_by("shop.example", auth::TestWorld::message("From: jo@shop.example\r\n")));
  }
  // Of somebody who says to be the bank, which asks to reject that.
  static std::shared_ptr<Transaction> forged(std::string_view fields = {}) {
    return from(auth::TestWorld::attacker(),
                auth::TestWorld::message("From: ceo@bank.example\r\n" + std::string(fields)));
  }
  // The shop asks to quarantine.
  static std::shared_ptr<Transaction> forged_shop() {
    return from(auth::TestWorld::attacker(), auth::TestWorld::message("From: jo@shop.example\r\n"));
  }

  // What a gate of that mode makes of a message.
  Judged judge(std::shared_ptr<const Transaction> mail, Mode mode = Mode::enforce) {
    InboundJudge judge("inbound", mode, context());
    return std::move(*value_now(judge.judge(std::move(mail))));
  }
  Answer answer(std::shared_ptr<const Transaction> mail, Mode mode = Mode::enforce) {
    const auto gate = inbound_gate("inbound", mode, context());
    return end(*gate, std::move(mail));
  }
  static Answer end(Handler& gate, std::shared_ptr<const Transaction> mail) {
    std::optional<Answer> given;
    gate.at_end(std::move(mail), [&](Answer one) {
      given = std::move(one);
      return true;
    });
    EXPECT_TRUE(given) << "it waits for somebody";
    return given.value_or(Answer{});
  }

  void decide(std::vector<Decision> decisions) {
    active.set(std::make_shared<const enforce::ActiveDecisions>(std::move(decisions)));
  }
  void filter(const FilterSettings& given) {
    auto made = make_filter(given);
    ASSERT_TRUE(made) << made.error().text();
    settings.filters.push_back(std::move(*made));
  }

  auth::TestWorld world;
  Rules settings;
  RulesSnapshot rules;
  dns::Resolver* resolver = nullptr;  // in place of the world's
  quarantine::Keeper* quarantine = nullptr;
  enforce::ActiveSnapshot active;
  feedback::Mapping mapping;
  relate::Reputation reputation{relate::ReputationSettings{}};
  TakenEvents events;
  bool storing = true;
  enforce::ManualClock clock;
  Metrics metrics;
};

// The rules of the reasons, strictest first: "dmarc", "(filter x)" where not in force.
inline std::vector<std::string> rules_of(const Judged& judged) {
  std::vector<std::string> rules;
  for (const VerdictReason& one : judged.verdict.reasons) {
    rules.push_back(one.in_force ? one.rule : "(" + one.rule + ")");
  }
  return rules;
}

}  // namespace watchpost::border
