#pragma once
#include "base/hash.h"
#include "border/gate.h"
#include "dns/zone_file.h"
#include "enforce/test_support.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace watchpost::border {

// Keeps what gates tell.
class TestSink final : public ingest::EventSink {
 public:
  bool deliver(ingest::Arrival arrival) override {
    if (full) return false;
    arrivals.push_back(std::move(arrival));
    return true;
  }
  std::vector<Event> events() const {
    std::vector<Event> all;
    for (const auto& arrival : arrivals) {
      const auto events = arrival.events.events();
      all.insert(all.end(), events.begin(), events.end());
    }
    return all;
  }

  std::vector<ingest::Arrival> arrivals;
  bool full = false;
};

// A gate for outbound mail with all around it.
struct OutboundWorld {
  explicit OutboundWorld(Mode mode_given = Mode::enforce) : mode(mode_given) {
    auto made = feedback::Mapping::from(
        {{.set = "customer", .from = "credential", .pattern = "@(.+)$", .value = ""},
         {.set = "campaign", .from = "message_id", .pattern = "^([a-z]+)[.]", .value = ""}});
    if (made) mapping = std::move(*made);
    rules.settings.contact = "abuse@esp.example";
  }

  Handler& gate() {
    if (!handler) {
      snapshot.set(std::make_shared<const Rules>(rules));
      handler = outbound_gate("outbound", mode,
                              {.rules = snapshot,
                               .resolver = *zone,
                               .budget = [] { return dns::Budget{}; },
                               .active = active,
                               .mapping = mapping,
                               .reputation = reputation,
                               .events = sink,
                               .storing = [] { return true; },
                               .clock = clock,
                               .metrics = metrics,
                               .quarantine = quarantine,
                               .holds = holds});
    }
    return *handler;
  }

  // Decisions d-1, d-2, ... : "credential=jo@shop.example suspend 1h".
  void decide(const std::vector<std::pair<std::string, std::string>>& scopes_and_measures) {
    std::vector<Decision> all;
    for (const auto& [scope, measure] : scopes_and_measures) {
      all.push_back(enforce::make_decision(all.size() + 1, scope, measure));
    }
    active.set(std::make_shared<const enforce::ActiveDecisions>(std::move(all)));
  }

  Answer at_recipient(const Transaction& mail, const std::string& recipient) {
    return gate().at_recipient(mail, {.address = recipient, .arguments = "", .refused = false});
  }

  Answer at_end(const Transaction& mail) {
    std::optional<Answer> given;
    gate().at_end(std::make_shared<const Transaction>(mail), [&](Answer answer) {
      given = std::move(answer);
      return true;
    });
    EXPECT_TRUE(given);
    return given.value_or(Answer{});
  }

  const Mode mode;
  Rules rules;
  RulesSnapshot snapshot;
  std::unique_ptr<dns::ZoneFile> zone = std::move(*dns::ZoneFile::parse(""));
  enforce::ActiveSnapshot active;
  feedback::Mapping mapping;
  relate::Reputation reputation{relate::ReputationSettings{}};
  TestSink sink;
  enforce::ManualClock clock;
  Metrics metrics;
  quarantine::Keeper* quarantine = nullptr;
  bool holds = false;
  std::unique_ptr<Handler> handler;
};

// A message of jo@shop.example to one recipient at Gmail; `header` ends with CR LF.
inline Transaction mail_of(const std::string& header = "From: Jo <jo@shop.example>\r\n") {
  Transaction mail;
  mail.client_ip = parse_ip_address("192.0.2.7");
  mail.client_port = 40'000;
  mail.mail_from = "<bounce@shop.example>";
  mail.macros = {{"i", "4Xyz12345"},
                 {"j", "mx.esp.example"},
                 {"auth_authen", "jo@shop.example"},
                 {"auth_type", "PLAIN"}};
  mail.recipients = {{.address = "kim@gmail.com", .arguments = "", .refused = false}};
  mail.message = header + "Subject: Order 4711\r\nMessage-ID: <news.17@shop.example>\r\n\r\n" +
                 "https://www.shop.example/ and https://cdn.example/\r\n";
  mail.size = mail.message.size();
  mail.began = enforce::kNow;
  return mail;
}

// The same, another one by the time it began.
inline Transaction next_mail(int number, const std::string& queue_id = "") {
  Transaction mail = mail_of();
  mail.began = enforce::kNow + std::chrono::milliseconds(number);
  mail.macros["i"] = queue_id.empty() ? "4Xyz" + std::to_string(number) : queue_id;
  return mail;
}

}  // namespace watchpost::border
