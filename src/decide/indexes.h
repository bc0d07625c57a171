#pragma once
#include "decide/scope.h"
#include "model/decision.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace watchpost::decide {

// Ids by the stream they are about, so that one signal need not look at all of them.
//   Owns:    the ids; as many as are open or in force.
//   Threads: none inside.
template <class Id>
class ByScope {
 public:
  void add(const Stream& scope, Id id) {
    std::vector<Id>& ids = ids_[canonical(scope)];
    if (std::ranges::find(ids, id) == ids.end()) ids.push_back(id);
  }
  void remove(const Stream& scope, Id id) {
    const auto found = ids_.find(canonical(scope));
    if (found == ids_.end()) return;
    std::erase(found->second, id);
    if (found->second.empty()) ids_.erase(found);
  }
  // In the order in which they were added.
  std::span<const Id> at(const Stream& scope) const {
    const auto found = ids_.find(canonical(scope));
    return found == ids_.end() ? std::span<const Id>() : std::span<const Id>(found->second);
  }

 private:
  std::unordered_map<std::string, std::vector<Id>> ids_;
};

// What follows from the incidents and decisions, so that one call looks only at what it is about.
struct Indexes {
  struct Failing {
    std::string customer;  // whose, where that is known
    Time at;               // the newest signal
  };

  ByScope<IncidentId> open_by_subject;
  std::set<IncidentId> closed;
  std::set<IncidentId> unmeasured;  // open, and no decision stands
  ByScope<DecisionId> by_scope;
  std::set<std::pair<Time, DecisionId>> by_end;
  // By provider: open incidents whose failures are nearly all there.
  std::map<std::string, std::map<IncidentId, Failing>, std::less<>> failing_at;
};

}  // namespace watchpost::decide
