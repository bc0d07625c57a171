#pragma once
#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "decide/decider.h"
#include "ingest/step.h"
#include "model/suppression.h"
#include "store/store.h"
#include "suppress/keeper.h"
#include "suppress/list.h"

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace watchpost::ingest {

// What a person does to the list of suppressions.
struct SuppressionOrder {
  enum class Act : uint8_t {
    add,     // refused where one is there that holds as long
    import,  // those that are not there, or for less long
    lift,    // refused where one of them does not hold
  };
  Act act = Act::add;
  // Recipient (as suppression_key() has it) and customer; to add: reason, until and note, too.
  std::vector<Suppression> which;
  std::string who;   // never empty
  std::string note;  // why; an import's is where it came from
};

// Suppressions in the pipeline: what events make of them, what people do, what undoing takes back,
// and all of it into the step that is committed.
//   Owns:    the keeper; of each incident that may still be judged, whom it suppressed.
//   Threads: the pipeline's; the list may be asked from any.
class Suppressions {
 public:
  // `list`: where they are to be found from outside; null: one of its own.
  Suppressions(std::vector<suppress::Rule> rules, std::shared_ptr<suppress::List> list,
               Metrics& metrics);

  // What the store has from before.
  Result<Done> restore(store::Store& store, store::Reader& reader, const decide::Decider& decider);
  void use(std::vector<suppress::Rule> rules) { keeper_->use(std::move(rules)); }

  void count(const Event& event, const decide::Decider& decider, Step& step, Time now);
  // Incidents that opened or changed: what was suppressed shortly before is theirs.
  void note(const decide::Outcome& outcome, Step& step, Time now);
  // Before the commit of events: what is counted goes with it.
  void finish(Step& step);
  // A person undid something: what it suppressed is lifted in the same step.
  Result<Done> undo(const decide::Outcome& outcome, const decide::Decider& decider,
                    store::Reader& reader, Step& step, Time now);
  // Those that changed. Errors: as SuppressionOrder says (refused, not_found).
  Result<std::vector<Suppression>> carry_out(const SuppressionOrder& order, store::Reader& reader,
                                             Step& step, Time now);

  // What the step changed is on disk, ...
  void committed(const Step& step, const decide::Decider& decider);
  // ... or will never be.
  void dropped() { keeper_->dropped(); }

 private:
  using Key = std::pair<std::string, std::string>;  // recipient, customer

  Result<size_t> lift_of(uint64_t incident, const std::string& because, store::Reader& reader,
                         Step& step, Time now);
  Result<Done> lift_one(const SuppressionOrder& order, const Suppression& which,
                        store::Reader& reader, Step& step, Time now);
  void index(const Suppression& one);
  void put(Suppression one, Step& step);

  std::shared_ptr<suppress::List> list_;
  std::unique_ptr<suppress::Keeper> keeper_;
  std::unordered_map<uint64_t, std::vector<Key>> by_incident_;
  std::vector<Suppression> changed_;  // of one event; kept for its room
  Metrics& metrics_;
};

}  // namespace watchpost::ingest
