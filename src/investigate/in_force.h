#pragma once
#include "base/time.h"
#include "investigate/scope_index.h"
#include "model/decision.h"
#include "model/event.h"

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <vector>

namespace watchpost::investigate {

// The measures in force in a trial, and which mail they stop.
//   Rules:   mail is stopped where it was sent while a measure that holds it was in force: an
//            accepted message then, a result of a message that was sent then. A throttle lets
//            through what its measure allows, evenly: of a rate a full bucket first, of a share
//            every so manieth; where a source tells of messages, their results follow them.
//   Owns:    a place for each decision until forget_before().
//   Threads: none inside.
class InForce {
 public:
  // Anew, or with another end.
  void set(const Decision& decision);
  // It holds no longer from then on.
  void end(DecisionId id, Time at);
  // Calls `stopping` for each decision that stops this event's mail, the one first made first; true
  // where any does.
  bool stops(const Event& event, const std::function<void(DecisionId)>& stopping);
  // Drops what ended so long ago that no result of its mail is expected any more.
  void forget_before(Time at);
  bool empty() const { return scopes_.empty(); }

 private:
  struct Measured {
    DecisionId id;
    Time from;
    Time until;
    Measure measure;
    double tokens = 0;  // of a throttle
    Time filled_at;
    bool messages_seen = false;
  };
  static bool stops(Measured& one, const Event& event, Time sent);
  static bool passes(Measured& throttle, Time at);
  Measured* find(DecisionId id);

  ScopeIndex<std::vector<Measured>> by_scope_;
  std::map<DecisionId, Stream> scopes_;
};

}  // namespace watchpost::investigate
