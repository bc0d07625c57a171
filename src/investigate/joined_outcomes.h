#pragma once
#include "investigate/outcome_table.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace watchpost::investigate {

// The outcomes of a table, where what names no message is joined with the one it must be about: of
// the messages to that recipient the one that was sent nearest to when it says. A bounce whose
// token stands in the return path alone is such a one.
//   Rules:   the message was sent at most an hour before, by another clock, and a day after: the
//            token is made first. Of several that are as near, each has one before any has two.
//            What finds none stands for itself.
//   Owns:    copies of what is joined; the table outlives it and does not change.
//   Threads: none inside.
class JoinedOutcomes {
 public:
  static constexpr uint32_t kHoursBefore = 1;
  static constexpr uint32_t kHoursAfter = 24;

  explicit JoinedOutcomes(const OutcomeTable& table);

  template <class Each>
  void each(const Each& call) const {
    table_.each_key([&](uint64_t key, const Outcome& outcome) {
      if (!stands_here(key, outcome)) call(outcome);
    });
    for (const Message& one : messages_) call(one.outcome);
    for (const Message& one : loose_) {
      if (!one.taken) call(one.outcome);
    }
  }

 private:
  struct Message {
    uint64_t key = 0;
    Outcome outcome;
    bool taken = false;  // of what is loose: joined; of a message: something was joined with it
  };
  bool is_wanted(uint64_t key) const;
  bool stands_here(uint64_t key, const Outcome& outcome) const;
  Message* message_for(const Message& loose);

  const OutcomeTable& table_;
  std::vector<Message> loose_;     // by key
  std::vector<Message> messages_;  // to recipients of those, by key
};

}  // namespace watchpost::investigate
