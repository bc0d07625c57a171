#pragma once
#include "base/time.h"
#include "model/event.h"
#include "model/suppression.h"
#include "suppress/counts.h"
#include "suppress/list.h"
#include "suppress/rules.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace watchpost::suppress {

struct KeeperLimits {
  size_t counted = 500'000;  // recipients that are on their way to a suppression
};

// What is known of the mail around an event; asked only where it matters.
struct Around {
  // The incident that is open over the event's mail; 0: none.
  std::function<uint64_t(const Event&)> incident;
  // Whether its bounces say nothing of recipients, as the receiver or we ourselves are at fault.
  std::function<bool(const Event&)> bounces_mislead;
};

// What a person's wish to suppress changes.
enum class Wish : uint8_t {
  changes,     // it is new, holds longer, or was an event's until now
  held,        // one of the same reason is there, from a person, and holds as long
  was_lifted,  // a person has lifted it
};

// Events in, suppressions out. Pure: same events, same suppressions; time comes in.
//   Use:     on() for every counted event; what it gives is committed together with the event, and
//            then told to committed(), which puts it into the list.
//   Rules:   only events that prove themselves, of outbound mail, and never what Watchpost caused.
//            For mail of the event's own customer, unless the rule is for all and the event is
//            not proven by that customer's token alone; without a customer nothing, unless it is
//            for all. Each reason stands for itself: one that holds is changed only by an event
//            of the same reason that makes it hold longer, and what was lifted is suppressed
//            again for this reason only by what happened afterwards. A complaint that is withdrawn
//            lifts the complaint that an event made, for the event's customer and for all.
//            Bounces that mislead neither suppress nor count.
//   Owns:    the counts, and what is not committed yet; both bounded.
//   Threads: none inside; the list may be asked from any thread.
class Keeper {
 public:
  // `seed` as of Counts.
  Keeper(std::vector<Rule> rules, List& list, uint64_t seed, KeeperLimits limits = {});

  // The suppressions that are new, hold longer, or are lifted: as if there had been none before.
  void on(const Event& event, Time now, const Around& around, std::vector<Suppression>& changed);
  // A suppression that somebody else made or changed, with the number of its change.
  void number(Suppression& one, Time now);

  // What was changed is on disk, ...
  void committed(std::span<const Suppression> changed);
  // ... or will never be: all since the last commit is as it was before.
  void dropped() { uncommitted_.clear(); }
  void use(std::vector<Rule> rules);
  const std::vector<Rule>& rules() const { return rules_; }

  // The one with this key, committed or not.
  std::optional<Entry> known(const SuppressionKey& key) const;
  Wish judge(const Suppression& wanted, Time now) const;

  // Since the last call: rule and how often it suppressed, or would have.
  struct Made {
    uint64_t suppressed = 0;
    uint64_t would_have = 0;
    uint64_t without_customer = 0;  // by a rule that is for the event's customer
  };
  std::map<std::string, Made> take_made() { return std::exchange(made_, {}); }

  Counts& counts() { return counts_; }
  void restore_last_change(uint64_t change) { last_change_ = std::max(last_change_, change); }

 private:
  void apply(const Rule& rule, const Event& event, const std::string& recipient, Time now,
             const Around& around, std::vector<Suppression>& changed);
  void withdraw(const Event& event, const std::string& recipient, Time now,
                std::vector<Suppression>& changed);
  void lift_complaint(const Event& event, const std::string& recipient, const std::string& customer,
                      Time now, std::vector<Suppression>& changed);
  bool was_lifted_by_person(const Suppression& wanted) const;
  // Whether `wanted` says more than what is there of the same reason.
  static bool says_more(const Suppression& wanted, const std::optional<Entry>& there, Time at);

  std::vector<Rule> rules_;
  std::vector<uint32_t> undelivered_;  // versions of rules whose counts a delivery leaves alone
  List& list_;
  Counts counts_;
  uint64_t last_change_ = 0;
  std::map<SuppressionKey, Entry> uncommitted_;
  std::map<std::string, Made> made_;
};

}  // namespace watchpost::suppress
