#pragma once
#include "base/time.h"
#include "investigate/mail_figures.h"
#include "investigate/outcome_table.h"
#include "model/event.h"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace watchpost::investigate {

// What a tally came to. Times are the beginnings of hours (UTC).
struct TallyResult {
  struct Class {
    std::string_view name;
    uint64_t bounced = 0;
  };
  using Classes = std::vector<Class>;  // most bounces first; those that have some
  struct Hour {
    Time at;
    MailFigures mail;
    Classes classes = {};
  };
  struct Group {
    std::string name;      // empty: not known
    bool reports = false;  // of a provider: it tells of complaints
    std::optional<Time> first_at;
    MailFigures mail;
    Classes classes = {};
  };
  MailFigures total;
  std::vector<Hour> hours;    // those that have something, oldest first
  std::vector<Group> groups;  // most mail first
  Classes classes;
  uint64_t sampled = 1;  // more: an estimate of one in so many
  uint64_t outside = 0;  // messages sent before or after the span that something came of
};

// Feedback that did not prove itself, as it came: not joined with mail, in no rate.
struct UnprovenCount {
  EventKind kind = EventKind::complained;
  std::string proof;  // why not
  uint64_t count = 0;
};

// Counts what became of mail by the hour it was sent in: an event belongs to `at` less `delay`, as
// in the detectors' cohorts. A message to a recipient is one, however many events are about it;
// they are known by message-id (else the queue id of the host) and recipient. What others tell
// without either is joined with the message to that recipient that was sent then (JoinedOutcomes).
// Of several times of sending our own log's goes first, then the earliest.
//   Use:     on() for each event, in any order; the same events give the same result.
//   Memory:  bounded (OutcomeTable); of groups only so many have a name of their own.
//   Threads: none inside.
class CampaignTally {
 public:
  static constexpr size_t kMostOutcomes = 6'000'000;
  static constexpr Duration kLongestSpan = std::chrono::days(400);

  // `group`: provider, or what else to tell apart. Mail sent in [since, until) counts, both taken
  // down to the hour; since is at most kLongestSpan before until.
  CampaignTally(Field group, Time since, Time until, size_t most = kMostOutcomes);

  void on(const Event& event);
  Time since() const { return since_; }
  // Of mail sent from then on: a later beginning than since().
  TallyResult result(Time from) const;
  TallyResult result() const { return result(since_); }
  std::vector<UnprovenCount> unproven() const;
  // When the first and the last message of the span were sent, by our own log, to the microsecond.
  std::optional<Time> first_sent() const { return first_sent_; }
  std::optional<Time> last_sent() const { return last_sent_; }

 private:
  struct Sums;
  uint32_t hour_of(Time at) const;
  uint32_t group_of(const Event& event);
  void note_sent(Time at);
  Sums summed(Time from) const;

  const Field group_;
  const Time since_;
  const Time until_;
  OutcomeTable outcomes_;
  std::deque<std::string> groups_;  // names; of number 0 none
  std::unordered_map<std::string_view, uint32_t> group_numbers_;
  std::map<std::pair<EventKind, std::string>, uint64_t> unproven_;
  std::optional<Time> first_sent_;
  std::optional<Time> last_sent_;
};

// What is about mail that goes out and what came of it: the events a tally counts.
bool is_about_sending(const Event& event);

}  // namespace watchpost::investigate
