#pragma once
#include "base/result.h"
#include "base/settings.h"
#include "base/time.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::relate {

// Who has a reputation with us.
enum class Party : uint8_t {
  ip,       // a client's address: "192.0.2.1"
  network,  // its /24, or its /48 of IPv6: "192.0.2.0/24"
  domain,   // an author's domain that vouches for the message (DMARC pass): "shop.example"
  signer,   // domain of a DKIM signature that holds
};
std::string_view name_of(Party party);
Result<Party> party_from(std::string_view name);

// What was seen of a party.
enum class Deed : uint8_t {
  good,        // a message with nothing against it
  suspicious,  // one that was tagged
  bad,         // one that was refused or quarantined, or would have been
  complained,  // a recipient complained about one
  reported,    // an employee reported one as an abuse
};
std::string_view name_of(Deed deed);
Result<Deed> deed_from(std::string_view name);
inline constexpr size_t kDeeds = 5;

// What is known of a party, at one time: counts of deeds that halve with each half-life.
struct Standing {
  double counts[kDeeds] = {};
  Time first_seen;  // the epoch: never
  Time last_seen;

  bool known() const { return last_seen != Time{}; }
  double messages() const;  // good + suspicious + bad
  // From 0 to 1: the share of messages that anything spoke against, as far as their number can
  // tell: the lower bound of Wilson's interval at 95 %. 0 where nothing is known.
  double badness() const;
};

struct ReputationSettings {  // [reputation]
  Duration half_life = std::chrono::hours(24 * 14);
  int64_t parties = 500'000;  // remembered at most; those who weigh least give way
};
void fields(SettingsVisitor& visit, ReputationSettings& settings);

struct Reputed {
  Party party = Party::ip;
  std::string name;
  Standing standing;
};

// What we know ourselves of those who deliver to us.
//   Use:     note() what a message came to; of() before the next.
//   Owns:    a bounded table. What an attacker makes up pushes out only what weighs no more.
//   Threads: any; of(), note(), correct() and forget() take well under a microsecond, and wait for
//   no more than
//            another of them or for save(), worst() or busiest() to see one shard of the table.
class Reputation {
 public:
  explicit Reputation(const ReputationSettings& settings);
  ~Reputation();

  Standing of(Party party, std::string_view name, Time now) const;
  void note(Party party, std::string_view name, Deed deed, Time now);
  // What was noted of a message at that time was wrong: what is left of that deed counts as the
  // other. False where nothing is known of the party.
  bool correct(Party party, std::string_view name, Deed from, Deed to, Time noted);
  // Forgets it: a person found that it was wrong. False where nothing was known.
  bool forget(Party party, std::string_view name);

  // Worst first, by badness and then by messages.
  std::vector<Reputed> worst(size_t most, Time now) const;
  std::vector<Reputed> busiest(size_t most, Time now) const;
  size_t size() const;
  uint64_t given_way() const;  // parties forgotten for want of room

  // All of it as bytes, with a checksum; restore() fails with corrupt and then knows nothing.
  std::string save() const;
  Result<Done> restore(std::string_view saved);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace watchpost::relate
