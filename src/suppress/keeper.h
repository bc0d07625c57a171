#pragma once
#include "base/time.h"
#include "model/event.h"
#include "model/stream.h"
#include "model/suppression.h"
#include "suppress/counts.h"
#include "suppress/list.h"
#include "suppress/rules.h"

#include <cstddef>
#include <cstdint>
#include <deque>
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
  size_t recent = 5'000;     // suppressions that an incident which opens later may be told of
};

// What of the mail around an event is known to be wrong.
struct Around {
  uint64_t incident = 0;  // open over the event's stream; 0: none
  // A person found that its bounces say nothing of recipients (the receiver's or our own fault).
  bool bounces_mislead = false;
};

// Events in, suppressions out. Pure: same events, same suppressions; time comes in.
//   Use:     on() for every counted event; what it gives is committed together with the event, and
//            then told to committed(), which puts it into the list.
//   Rules:   only events that prove themselves, of outbound mail, and never what Watchpost caused.
//            For mail of the event's own customer, unless the rule is for all and the event is
//            not proven by that customer's token alone; without a customer nothing, unless it is
//            for all. A suppression that holds is replaced only by one that holds longer, or that
//            weighs more (unsubscribe, complaint, bounce, in this order) and holds as long; by a
//            complaint, which may be withdrawn, only where it holds longer. One that replaces
//            another is of no incident. What was lifted is suppressed again only by what happened
//            afterwards. A complaint that is withdrawn lifts what a complaint suppressed, for the
//            event's customer and for all.
//   Owns:    the counts, and what is not committed yet; both bounded.
//   Threads: none inside; the list may be asked from any thread.
class Keeper {
 public:
  // `seed` as of Counts.
  Keeper(std::vector<Rule> rules, List& list, uint64_t seed, KeeperLimits limits = {});

  using AroundOf = std::function<Around(const Event&)>;
  // The suppressions that are new or changed, whole. `around` is asked only where there is one.
  void on(const Event& event, Time now, const AroundOf& around, std::vector<Suppression>& changed);
  // An incident opened: recent suppressions of its mail since then are of it, too.
  void opened(uint64_t incident, const Stream& subject, Time since, Time now,
              std::vector<Suppression>& changed);
  // A suppression that somebody else made or changed, with the number of its change.
  void number(Suppression& one, Time now);

  // What was changed is on disk, ...
  void committed(std::span<const Suppression> changed);
  // ... or will never be: all since the last commit is as it was before.
  void dropped();
  void use(std::vector<Rule> rules) { rules_ = std::move(rules); }
  const std::vector<Rule>& rules() const { return rules_; }
  // Whether it holds longer than what is there. What people want is asked for nothing else.
  bool would_change(const Suppression& wanted, Time now) const;

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
  using Key = std::pair<std::string, std::string>;  // recipient, customer
  struct Recent {
    Suppression made;
    std::vector<Stream::Part> of;  // the event's dimensions
  };
  struct Uncommitted {
    Entry entry;
    uint64_t change = 0;
  };

  void apply(const Rule& rule, const Event& event, const std::string& recipient, Time now,
             const AroundOf& around, std::vector<Suppression>& changed);
  void withdraw(const Event& event, const std::string& recipient, Time now,
                std::vector<Suppression>& changed);
  void lift_complaint(const Event& event, const std::string& recipient, const std::string& customer,
                      Time now, std::vector<Suppression>& changed);
  // Whether what is not committed yet changed it since.
  bool is_replaced(const Suppression& one) const;
  std::optional<Entry> known(const std::string& recipient, const std::string& customer) const;
  // Whether `wanted` says more than what is there.
  static bool says_more(const Suppression& wanted, const std::optional<Entry>& there, Time at);
  void remember(const Suppression& made, const Event& event);

  std::vector<Rule> rules_;
  List& list_;
  Counts counts_;
  const KeeperLimits limits_;
  uint64_t last_change_ = 0;
  uint64_t committed_change_ = 0;
  std::map<Key, Uncommitted> uncommitted_;
  std::deque<Recent> recent_;  // newest last
  std::map<std::string, Made> made_;
};

// Unsubscribed weighs most.
int weight_of(SuppressionReason reason);

}  // namespace watchpost::suppress
