#include "decide/fault.h"

#include "base/text.h"
#include "decide/narrow.h"
#include "decide/test_signals.h"

#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::decide {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Signal sign(std::string_view detector, Verdict suggests, std::string_view stream,
            std::vector<Share> shares = {}) {
  Signal signal = signal_on(stream, kStart);
  signal.detector = detector;
  signal.suggests = suggests;
  signal.shares = std::move(shares);
  return signal;
}

Incident incident_of(std::string_view subject, const std::vector<Signal>& signals) {
  Incident incident;
  incident.subject = parse_stream(subject).value();
  for (const Signal& signal : signals) incident.evidence.push_back({signal, {}});
  return incident;
}

std::vector<std::string> lines(const Fault& fault) {
  std::vector<std::string> out;
  for (const auto line : split(fault.because, '\n')) out.emplace_back(line);
  return out;
}

const Share kSpread{Field::provider, "gmail", 20, 48};
const Share kAtOne{Field::provider, "gmail", 45, 48};

TEST(Fault, SaysWhatSpeaksForAndAgainst) {
  const Fault fault = suggested_fault(
      incident_of("credential=alice",
                  {sign("unknown users", Verdict::bad_list, "credential=alice", {kSpread}),
                   sign("login from many networks", Verdict::compromised, "credential=alice")}),
      {});
  EXPECT_EQ(fault.cause, Verdict::compromised);
  EXPECT_THAT(
      lines(fault),
      ElementsAre("for compromised: signal `login from many networks`",
                  "for compromised: signal `unknown users` on the same login",
                  "for bad_list: signal `unknown users`",
                  "for bad_list: spread over providers: 20 of 48 failures at provider=gmail",
                  "against bad_list: there is a sign of a stolen login"));
}

TEST(Fault, AnotherLoginOfTheCustomerIsNoSignOfTheSame) {
  const Incident incident = incident_of(
      "customer=acme", {sign("networks", Verdict::compromised, "customer=acme credential=alice"),
                        sign("unknown users", Verdict::bad_list, "customer=acme credential=bob")});
  EXPECT_EQ(suggested_fault(incident, {}).cause, Verdict::none);
}

TEST(Fault, TheNewestSignalOfADetectorCounts) {
  const Incident incident = incident_of(
      "customer=acme", {sign("unknown users", Verdict::bad_list, "customer=acme", {kSpread}),
                        sign("unknown users", Verdict::bad_list, "customer=acme", {kAtOne})});
  const Fault fault = suggested_fault(incident, {.others_fail_there = true});
  EXPECT_EQ(fault.cause, Verdict::receiver_fault);
  EXPECT_THAT(lines(fault).front(),
              "for receiver_fault: 45 of 48 failures at provider=gmail, and "
              "other customers fail there too");
}

TEST(Fault, WhatPeopleComplainOfIsNoReceiversFault) {
  const FaultContext others{.others_fail_there = true};
  const Incident complaints = incident_of(
      "customer=acme", {sign("complaints", Verdict::abusive_customer, "customer=acme", {kAtOne})});
  EXPECT_EQ(suggested_fault(complaints, others).cause, Verdict::abusive_customer);
  // Of an address that all share, the others are itself.
  const Incident shared = incident_of(
      "source_ip=192.0.2.1", {sign("feedback", Verdict::none, "source_ip=192.0.2.1", {kAtOne})});
  EXPECT_EQ(suggested_fault(shared, others).cause, Verdict::none);
}

TEST(Fault, NothingIsSuggestedByNothing) {
  EXPECT_EQ(suggested_fault(incident_of("customer=acme", {}), {}).cause, Verdict::none);
  EXPECT_THAT(suggested_fault(incident_of("customer=acme", {}), {}).because, IsEmpty());
  const Incident plain = incident_of("customer=acme", {sign("a", Verdict::none, "customer=acme")});
  EXPECT_EQ(suggested_fault(plain, {}).cause, Verdict::none);
  EXPECT_EQ(suggested_fault(plain, {.earlier_incidents = 2}).cause, Verdict::abusive_customer);
  // A stolen login is not the customer's doing, however often it happens.
  const Incident stolen =
      incident_of("customer=acme", {sign("a", Verdict::compromised, "customer=acme")});
  EXPECT_EQ(suggested_fault(stolen, {.earlier_incidents = 9}).cause, Verdict::compromised);
}

TEST(Fault, HostileNamesStayOnTheirLine) {
  std::vector<Signal> signals;
  for (int i = 0; i < 50; ++i) {
    signals.push_back(sign(fmt::format("d\n{}\x1b[2J", i), Verdict::bad_list, "customer=acme",
                           {{Field::provider, "g\nfor content: x", 48, 48}}));
  }
  const Fault fault = suggested_fault(incident_of("customer=acme", signals), {});
  EXPECT_LE(lines(fault).size(), 16u);
  EXPECT_THAT(fault.because, Not(HasSubstr("\x1b")));
  for (const std::string& line : lines(fault)) {
    EXPECT_TRUE(line.starts_with("for ") || line.starts_with("against ")) << line;
    EXPECT_THAT(line, Not(testing::StartsWith("for content")));
  }
}

TEST(Narrow, WhatExplainsHoldsNearlyAll) {
  Signal signal = sign("a", Verdict::none, "customer=acme",
                       {{Field::credential, "bob", 47, 50},
                        {Field::campaign, "sale", 48, 50},
                        {Field::provider, "gmail", 50, 50},
                        {Field::source_ip, "192.0.2.1", 20, 50}});
  std::vector<std::string> scopes;
  for (const Stream& scope : explaining(signal)) scopes.push_back(scope.text());
  const auto has = [&](std::string_view text) {
    return std::ranges::find(scopes, text) != scopes.end();
  };
  EXPECT_TRUE(has("credential=bob"));
  EXPECT_TRUE(has("campaign=sale customer=acme"));
  EXPECT_TRUE(has("credential=bob campaign=sale"));  // 3 + 2 of 50 at most are not under both
  EXPECT_TRUE(has("provider=gmail customer=acme"));
  EXPECT_FALSE(has("provider=gmail"));
  EXPECT_FALSE(has("customer=acme"));
  signal.shares[1].count = 45;
  scopes.clear();
  for (const Stream& scope : explaining(signal)) scopes.push_back(scope.text());
  EXPECT_FALSE(has("credential=bob campaign=sale"));
}

}  // namespace
}  // namespace watchpost::decide
