#pragma once
#include "enforce/enforcer.h"

#include <functional>
#include <string>

namespace watchpost::border {

// Carries out decisions where a milter of role outbound and mode enforce asks about the mail of our
// logins: its gate looks at the decisions in force, so there is nothing to do for one.
class MilterEnforcer final : public enforce::Enforcer {
 public:
  // `state` says how its milter is, one sentence; called from any thread.
  explicit MilterEnforcer(std::function<std::string()> state) : state_(std::move(state)) {}

  // Scopes of what is known when a recipient is asked about, and of what is known at the end of a
  // message. A scope of both kinds is carried out for a message whose recipients are all meant:
  // never for more mail than it names.
  static Result<Done> able(const Decision& decision);
  Result<Done> can(const Decision& decision) const override { return able(decision); }
  Result<Done> apply(const Decision&, Duration) override { return Done{}; }
  Result<Done> undo(const Decision&, Duration) override { return Done{}; }
  std::string state() const override { return state_(); }

 private:
  std::function<std::string()> state_;
};

}  // namespace watchpost::border
