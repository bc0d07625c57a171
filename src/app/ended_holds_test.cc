#include "app/ended_holds.h"

#include <gtest/gtest.h>

namespace watchpost::app {
namespace {

Decision ended(DecisionState state, std::string by) {
  Decision decision;
  decision.state = state;
  decision.ended_by = std::move(by);
  return decision;
}

Incident found(Verdict verdict) {
  Incident incident;
  incident.verdict = verdict;
  return incident;
}

TEST(AfterHold, WhatRanOutGoesOutSlowlyUnlessAPersonFoundItBad) {
  const Decision decision = ended(DecisionState::expired, "");
  EXPECT_EQ(after_hold(decision, nullptr), AfterHold::paced);
  for (const Verdict verdict :
       {Verdict::none, Verdict::receiver_fault, Verdict::monitoring_fault}) {
    const Incident incident = found(verdict);
    EXPECT_EQ(after_hold(decision, &incident), AfterHold::paced) << name_of(verdict);
  }
  for (const Verdict verdict :
       {Verdict::compromised, Verdict::bad_list, Verdict::abusive_customer, Verdict::content}) {
    const Incident incident = found(verdict);
    EXPECT_EQ(after_hold(decision, &incident), AfterHold::stays) << name_of(verdict);
  }
}

TEST(AfterHold, WhatAPersonUndidGoesOutAtOnce) {
  const Decision decision = ended(DecisionState::revoked, "token desk");
  const Incident incident = found(Verdict::compromised);
  EXPECT_EQ(after_hold(decision, nullptr), AfterHold::at_once);
  EXPECT_EQ(after_hold(decision, &incident), AfterHold::at_once);
}

TEST(AfterHold, WhatAnotherDecisionTookThePlaceOfDoesNotHurry) {
  const Decision decision = ended(DecisionState::revoked, "watchpost");
  const Incident incident = found(Verdict::compromised);
  EXPECT_EQ(after_hold(decision, nullptr), AfterHold::paced);
  EXPECT_EQ(after_hold(decision, &incident), AfterHold::stays);
}

}  // namespace
}  // namespace watchpost::app
