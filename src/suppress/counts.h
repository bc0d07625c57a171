#pragma once
#include "base/hash.h"
#include "base/time.h"
#include "suppress/rules.h"

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace watchpost::suppress {

// The events counted towards rules that want several, for each customer and recipient. Times are to
// the second.
//   Owns:    at most `most` recipients, of which the one that was counted longest ago gives way,
//            and of each at most kMostAfter times a rule.
//   Threads: none inside.
class Counts {
 public:
  // `seed`: unknown outside and always the same, as names of saved counts follow from it.
  Counts(uint64_t seed, size_t most) : seed_(seed), most_(most) {}

  // Counts an event towards the rule. True where it is the one that was still wanted: what was
  // counted towards it is used up then. An event nearer than `apart` to a counted one, or older
  // than `within` before the newest, does not count.
  bool add(const Rule& rule, std::string_view customer, std::string_view recipient, Time at);
  // Mail came through: what was counted up to then is forgotten, but for rules of these versions.
  void delivered(std::string_view customer, std::string_view recipient, Time at,
                 std::span<const uint32_t> but);

  // Name and value of each recipient whose counts changed since the last call; an empty value where
  // nothing is left. All that was ever given out, the last value of each name, is what restore()
  // wants.
  std::map<std::string, std::string> take_changes() { return std::exchange(changes_, {}); }
  // What is no saved count is skipped.
  void restore(const std::vector<std::pair<std::string, std::string>>& saved);

  size_t size() const { return by_recipient_.size(); }
  bool empty() const { return by_recipient_.empty(); }

 private:
  struct Hit {
    uint32_t rule;     // its version
    uint32_t seconds;  // since 1970
    auto operator<=>(const Hit&) const = default;
  };
  struct Counted {
    Hash128 who;
    std::vector<Hit> hits;  // sorted
  };
  struct Hash {
    size_t operator()(const Hash128& hash) const { return hash.low; }
  };
  using Place = std::list<Counted>::iterator;

  Hash128 key_of(std::string_view customer, std::string_view recipient) const;
  void changed(Place place);
  void forget_old(const Rule& rule, uint32_t now);

  const uint64_t seed_;
  const size_t most_;
  std::list<Counted> counted_;  // counted last first
  std::unordered_map<Hash128, Place, Hash> by_recipient_;
  std::map<std::string, std::string> changes_;
  Duration longest_{0};  // `within` of all rules seen
};

}  // namespace watchpost::suppress
