#pragma once
#include "base/metrics.h"
#include "base/result.h"
#include "quarantine/attempt.h"
#include "quarantine/digest_mark.h"
#include "quarantine/keeper.h"
#include "quarantine/search.h"
#include "quarantine/settings.h"

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::quarantine {

// A filter rule that accepts what is like a released message: made by people, ends by itself.
struct Exception {
  std::string name;  // "held-4f2a91c0"
  std::string when;  // a condition of docs/reference/filters.md
  Time until;
  std::string by;
  std::string why;
};

struct Usage {
  uint64_t messages = 0;   // with a copy that is open
  uint64_t copies = 0;     // open ones
  uint64_t due = 0;        // of them: due or leaving
  uint64_t requested = 0;  // of them: asked for by their recipient
  uint64_t bytes = 0;      // of all files
  uint64_t space = 0;      // [quarantine] space
  Time oldest;             // the epoch: none is held
  std::string trouble;     // why nothing is taken now; empty: all is well
};

// Held mail: files, and the index that says what has become of them.
//   Use:     open(), then any of it; stop() before those go who are called back.
//   Owns:    the folder, whose lock it takes (refused where another process has it); one thread
//   that
//            writes the index, and a few that write files.
//   Order:   a message's file is written, made durable, renamed and the folder made durable; then
//            the index is committed; then `done` is called. Many at once share these steps.
//   Threads: any. Functions that are no `Keeper`'s block until what they change is committed
//            (milliseconds): not for Io threads.
//   Fails:   not_found: no such message or copy; refused: not in that state; exhausted: full;
//            unavailable: the disk; corrupt: a file whose bytes or key are not right.
//   Files:   FOLDER/index.db (WAL, FULL), FOLDER/mail/ab/ID, FOLDER/lock; mode 0600, folders 0700
class Quarantine : public Keeper {
 public:
  struct Parts {
    QuarantineSettings settings;
    std::string folder;
    const Clock& clock;
    Metrics& metrics;
  };
  // Fails with refused where the key file is missing, readable by others, or lacks the key by which
  // messages here were written.
  static Result<std::unique_ptr<Quarantine>> open(Parts parts);
  // No more is taken; what was taken is answered.
  virtual void stop() = 0;

  // Looking.
  virtual Result<HeldPage> list(const HeldSearch& search) = 0;
  virtual Result<HeldMessage> find(const HeldId& id) = 0;
  virtual Result<HeldContent> read(const HeldId& id) = 0;
  virtual Result<Usage> usage() = 0;

  // Acting. `recipients`: those meant; empty: all. Give how many copies were changed.
  // Asks for a release: each copy becomes due `at`; of two times, and of paced and not, the earlier
  // and the unpaced win. One that is named and on its way, released, discarded or expired refuses;
  // of all, those are left out, and it is refused where no other is there. `discard` the same.
  virtual Result<size_t> release(const HeldId& id, std::span<const std::string> recipients,
                                 const ReleaseOrder& order) = 0;
  // The same for all that a search finds (its limit does not count), a share of them at each step.
  virtual Result<size_t> release_found(const HeldSearch& search, std::span<const PacedStep> steps,
                                       const ReleaseOrder& order) = 0;
  // No release any more: what is due is held again.
  virtual Result<size_t> hold_again(const HeldSearch& search, std::string_view by,
                                    std::string_view note) = 0;
  virtual Result<size_t> discard(const HeldId& id, std::span<const std::string> recipients,
                                 std::string_view by) = 0;
  virtual Result<size_t> discard_found(const HeldSearch& search, std::string_view by) = 0;
  virtual Result<Done> extend(const HeldId& id, Time until) = 0;
  // All that is held for or from an address, and what is remembered of it: gone, with its bytes.
  // What is on its way stays: then `refused` says how many, when the rest is erased. A message that
  // is held for others, too, stays as long as for them.
  virtual Result<size_t> erase_person(std::string_view address, std::string_view by) = 0;
  // A recipient asks for its copy. Asking twice is asking once: false the second time.
  virtual Result<bool> request(const HeldId& id, std::string_view recipient) = 0;
  // Throws away what is past its time, and what crashes have left. Call it now and then.
  virtual Result<Done> maintain() = 0;
  // Writes anew, with the newest key, the files that older ones have written; gives how many.
  virtual Result<size_t> rekey() = 0;

  // Exceptions in force; those of the past are forgotten.
  virtual Result<std::vector<Exception>> exceptions() = 0;
  virtual Result<Done> except(Exception exception) = 0;
  virtual Result<Done> end_exception(std::string_view name) = 0;

  // What the releaser needs.
  virtual Result<std::vector<Due>> due(size_t most) = 0;  // the longest due first
  // They stay due, but not before `at`; the note says why.
  virtual Result<Done> put_off(std::span<const Due> due, Time at, std::string_view note) = 0;
  virtual Result<Attempt> begin(const Due& due) = 0;  // durable: its copies are leaving
  // Gives whether the mail server had asked for its token. Refused where a doubt is settled by one
  // who did not know yet that it had, and takes the message to be here. A copy of the attempt of
  // which no outcome says anything is in doubt.
  virtual Result<bool> end(const Attempt& attempt, std::span<const CopyOutcome> outcomes) = 0;
  // Attempts that nobody works on: those of before the start, and those that ended in doubt.
  virtual Result<std::vector<Attempt>> in_doubt() = 0;

  // What the digest needs.
  // Recipients of inbound mail, by address in small letters: those with a copy that is held and may
  // be offered, kept since what they were told of last, and with no digest of `day`. None where an
  // empty recipient is marked with it: the day is over. Looks at all that is held.
  virtual Result<std::vector<DigestDue>> digest_due(Time day, size_t most) = 0;
  virtual Result<Done> mark_digest(std::string_view recipient, const DigestMark& mark) = 0;

  // A secret of this quarantine for signing links, the same after each start.
  virtual std::string link_secret() const = 0;
};

}  // namespace watchpost::quarantine
