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
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace watchpost::ingest {

// What a person does to the list of suppressions.
struct SuppressionOrder {
  enum class Act : uint8_t {
    add,     // refused where a person's of the same reason is there and holds as long
    import,  // those that are not there, hold for less long, or were an event's until now
    lift,    // all of the recipient and customer that hold; refused where none does
  };
  Act act = Act::add;
  // Recipient (as suppression_key() has it) and customer; to add: reason, until and note, too.
  std::vector<Suppression> which;
  std::string who;                                       // never empty
  std::string note;                                      // why; an import's is where it came from
  std::optional<SuppressionReason> only = std::nullopt;  // to lift: of this reason
  bool again = false;  // to import: also those that a person lifted
};
// What came of it.
struct SuppressionChanges {
  std::vector<Suppression> changed;  // in the order of changes
  size_t left_lifted = 0;            // of an import: a person had lifted them
};

// Suppressions in the pipeline: what events make of them, what people do, what undoing takes back,
// and all of it into the step that is committed.
//   Undoing: takes back the bounces and complaints that events made within the time of an incident,
//            whose mail was that of its subject; never what a person made.
//   Owns:    the keeper; which incidents are open.
//   Threads: the pipeline's; the list may be asked from any.
class Suppressions {
 public:
  // `list`: where they are to be found from outside; null: one of its own.
  Suppressions(std::vector<suppress::Rule> rules, std::shared_ptr<suppress::List> list,
               Metrics& metrics);

  // What the store has from before.
  Result<Done> restore(store::Store& store, store::Reader& reader);
  void use(std::vector<suppress::Rule> rules) { keeper_->use(std::move(rules)); }

  const suppress::List& list() const { return *list_; }

  void count(const Event& event, const decide::Decider& decider, store::Reader& reader, Step& step,
             Time now);
  // Incidents opened or changed.
  void note(const decide::Outcome& outcome);
  // Before the commit of events: what is counted goes with it.
  void finish(Step& step);
  // A person undid something: what it suppressed is lifted in the same step. `before`: as it was
  // until then; `after`: as it is.
  Result<Done> undo(const decide::Outcome& outcome, const decide::Decider& before,
                    const decide::Decider& after, store::Reader& reader, Step& step, Time now);
  // Errors: as SuppressionOrder says (refused, not_found).
  Result<SuppressionChanges> carry_out(const SuppressionOrder& order, store::Reader& reader,
                                       Step& step, Time now);

  // What the step changed is on disk, ...
  void committed(const Step& step);
  // ... or will never be.
  void dropped() { keeper_->dropped(); }

 private:
  struct Open {
    uint64_t number;
    Stream subject;
    bool bounces_mislead;
  };

  const std::vector<Open>& open_ones(const decide::Decider& decider);
  // Takes over what a change by an event leaves as it was.
  void keep_what_was(Suppression& one, store::Reader& reader, const Step& step) const;
  Result<Done> lift(const SuppressionOrder& order, store::Reader& reader, Step& step, Time now);
  void add(const SuppressionOrder& order, const Suppression& wanted, Step& step, Time now);
  void put(Suppression one, Step& step);

  std::shared_ptr<suppress::List> list_;
  std::unique_ptr<suppress::Keeper> keeper_;
  std::vector<Open> open_;  // as of the last change of an incident that was noted
  bool open_is_stale_ = true;
  std::vector<Suppression> changed_;  // of one event; kept for its room
  Metrics& metrics_;
};

}  // namespace watchpost::ingest
