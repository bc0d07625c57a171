#pragma once
#include "base/time.h"
#include "model/decision.h"
#include "model/event.h"

#include <array>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace watchpost::enforce {

// The decisions in force at one moment, indexed by scope. Immutable once made.
class ActiveDecisions {
 public:
  ActiveDecisions() = default;
  explicit ActiveDecisions(std::vector<Decision> decisions);

  // The strictest decision whose scope holds for `subject` and which is in force at `now`; the
  // longest of equally strict ones. Null where there is none. `notify` is not among them.
  const Decision* strictest(const Event& subject, Time now) const;
  // The same among throttles by rate alone: a mail that is under a throttle by share as well has to
  // pass both, since neither is the stricter one.
  const Decision* strictest_rate(const Event& subject, Time now) const;
  // The same among holds alone: by whom mail is kept that is not refused under a stricter one.
  const Decision* longest_hold(const Event& subject, Time now) const;
  const std::vector<Decision>& all() const { return decisions_; }

 private:
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  using ByValue = std::unordered_map<std::string, std::vector<size_t>, TextHash, std::equal_to<>>;

  const Decision* first(const Event& subject, Time now, const auto& wanted) const;

  std::vector<Decision> decisions_;
  // By the dimension and value of a scope's first part: indexes of decisions, strictest first.
  std::array<ByValue, kTextFields> by_first_part_;
};

// Where the pipeline puts the newest ActiveDecisions and all enforcers look. Readers wait for no
// more than the copying of one pointer.
class ActiveSnapshot {
 public:
  std::shared_ptr<const ActiveDecisions> get() const {
    const std::lock_guard lock(mutex_);
    return now_;
  }
  void set(std::shared_ptr<const ActiveDecisions> next) {
    const std::lock_guard lock(mutex_);
    now_.swap(next);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const ActiveDecisions> now_ = std::make_shared<const ActiveDecisions>();
};

}  // namespace watchpost::enforce
