#pragma once
#include "base/result.h"
#include "base/time.h"
#include "investigate/safe_view.h"
#include "model/measure.h"
#include "quarantine/quarantine.h"
#include "relate/reputation.h"
#include "store/store.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::ingest {
class Pipeline;
}

namespace watchpost::investigate {

// What a person wants who releases one message.
struct ReleaseWish {
  std::vector<std::string> recipients;  // empty: all
  std::string why;
  bool accept_like = false;  // mail like it is accepted from now on, for a time
  bool wrong = false;        // it should never have been held
};
struct ReleaseReceipt {
  size_t copies = 0;
  std::optional<quarantine::Exception> exception;
  size_t corrected = 0;  // parties that it counts for now, and counted against before
  IncidentId incident;   // that was told of it; 0: none
};

// How it stands with the copy that a recipient's link is for.
enum class LinkState : uint8_t {
  can_ask,
  asked,   // a person decides
  coming,  // released, or on its way
  gone,    // thrown away, or never offered
};

// The part of the desk for held mail. Acts, and each look into a body, are in the audit log before
// they are done; the log names ids and numbers of copies, never addresses, so that who is erased
// here does not live on there.
//   Threads: any; calls block until the pipeline and the quarantine have committed. Not for Io
//            threads.
//   Errors:  not_found: no such message or recipient; refused: not in that state; bad_input.
class QuarantineDesk {
 public:
  virtual ~QuarantineDesk() = default;

  virtual Result<quarantine::HeldPage> list(const quarantine::HeldSearch& search) = 0;
  virtual Result<quarantine::HeldMessage> find(const quarantine::HeldId& id) = 0;
  virtual Result<quarantine::Usage> usage() = 0;
  // Somebody's mail is read.
  virtual Result<SafeView> view(const quarantine::HeldId& id, std::string_view who) = 0;
  virtual Result<std::string> bytes(const quarantine::HeldId& id, std::string_view who) = 0;

  virtual Result<ReleaseReceipt> release(const quarantine::HeldId& id, const ReleaseWish& wish,
                                         std::string_view who) = 0;
  // All that a search finds, which asks for something; the number of copies. `paced`: a share of
  // them at a time, as mail comes back after a hold, and none while a decision is against it.
  virtual Result<size_t> release_found(const quarantine::HeldSearch& search, bool paced,
                                       std::string_view who, std::string_view why) = 0;
  // What is due, and not yet on its way, is held again.
  virtual Result<size_t> hold_again(const quarantine::HeldSearch& search, std::string_view who,
                                    std::string_view why) = 0;
  virtual Result<size_t> discard(const quarantine::HeldId& id,
                                 std::span<const std::string> recipients, std::string_view who,
                                 std::string_view why) = 0;
  virtual Result<size_t> discard_found(const quarantine::HeldSearch& search, std::string_view who,
                                       std::string_view why) = 0;
  virtual Result<Done> extend(const quarantine::HeldId& id, Time until, std::string_view who,
                              std::string_view why) = 0;
  virtual Result<size_t> erase_person(std::string_view address, std::string_view who,
                                      std::string_view why) = 0;
  // Of copies in doubt: a person has found out whether they arrived; else they go out again.
  virtual Result<size_t> settle(const quarantine::HeldId& id, bool arrived, std::string_view who,
                                std::string_view why) = 0;
  virtual Result<size_t> rekey(std::string_view who) = 0;

  virtual Result<std::vector<quarantine::Exception>> exceptions() = 0;
  virtual Result<Done> end_exception(std::string_view name, std::string_view who,
                                     std::string_view why) = 0;

  // A recipient's link. Errors: refused: it is forged, has run out, or was used.
  virtual Result<LinkState> look_at(std::string_view token) = 0;  // changes nothing
  virtual Result<LinkState> ask(std::string_view token) = 0;
};

// What it is made of; all of it outlives it.
struct QuarantineDeskParts {
  quarantine::Quarantine& quarantine;
  ingest::Pipeline& pipeline;
  const Clock& clock;
  store::StoreSettings store;
  quarantine::QuarantineSettings settings;
  std::vector<Measure> paces;                // [decide] paced_return
  relate::Reputation* reputation = nullptr;  // null: none is kept
  std::function<void()> wake;                // something is due
  std::function<void()> exceptions_changed;  // they are in force once it returns
  std::function<Result<size_t>(const quarantine::HeldId& id, bool arrived, std::string_view who)>
      settle;
};
std::unique_ptr<QuarantineDesk> make_quarantine_desk(QuarantineDeskParts parts);

// Whether it asks for anything at all: what is done to all that is found must say what.
bool asks_for_something(const quarantine::HeldSearch& search);

}  // namespace watchpost::investigate
