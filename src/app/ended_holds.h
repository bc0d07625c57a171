#pragma once
#include "base/result.h"
#include "investigate/quarantine_desk.h"
#include "model/decision.h"
#include "model/incident.h"
#include "quarantine/quarantine.h"
#include "store/store.h"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace watchpost::app {

// What becomes of the mail that a decision held when that has ended.
enum class AfterHold : uint8_t {
  stays,    // a person decides
  at_once,  // all of it goes out: the decision was undone
  paced,    // a share of it at a time: its time is over, and nobody has said what it was
};
// `incident`: the one it belongs to; null: that is forgotten. Of one that ended. Pure.
AfterHold after_hold(const Decision& decision, const Incident* incident);

// Sends on what ended decisions have held.
//   Use:     look() now and then.
//   Threads: one.
class EndedHolds {
 public:
  // All of them outlive it.
  EndedHolds(quarantine::Quarantine& quarantine, investigate::QuarantineDesk& desk,
             store::StoreSettings store)
      : quarantine_(quarantine), desk_(desk), store_(std::move(store)) {}
  // The number of copies that go out now or later.
  Result<size_t> look(Time now);

 private:
  Result<size_t> send_on(const Decision& decision, AfterHold then);

  quarantine::Quarantine& quarantine_;
  investigate::QuarantineDesk& desk_;
  const store::StoreSettings store_;
  std::set<DecisionId> settled_;  // nothing that they held waits for us any more
};

}  // namespace watchpost::app
