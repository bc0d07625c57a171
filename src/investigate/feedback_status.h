#pragma once
#include "base/result.h"
#include "base/time.h"
#include "investigate/stored_search.h"
#include "store/store.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace watchpost::investigate {

// What one reporter sent, or what one source brought.
struct FeedbackRow {
  std::string name;       // empty: not known
  uint64_t received = 0;  // events, one for each recipient of a report
  uint64_t complained = 0;
  uint64_t withdrawn = 0;
  uint64_t unsubscribed = 0;
  uint64_t bounced = 0;                        // also what expired
  std::map<std::string, uint64_t> attributed;  // by the way in which its mail was found
  uint64_t unattributed = 0;
  uint64_t proven = 0;
  std::map<std::string, uint64_t> refused;  // by why it moves nothing
  uint64_t unread = 0;                      // mail of it that is kept because it was not understood
  std::optional<Time> last_at;              // of all of these

  // The proven go first: who only makes noise pushes out nobody.
  std::pair<uint64_t, uint64_t> weight() const { return {proven, received + unread}; }
  void add(const FeedbackRow& other);
};

struct FeedbackStatus {
  Time since;
  bool complete = true;  // false: there was no time to read all of it
  FeedbackRow total;
  std::vector<FeedbackRow> reporters;  // most proven first, then most received
  std::vector<FeedbackRow> sources;
  RemovedKeptMail removed;                     // mail that was kept, and went for want of room
  std::optional<FeedbackRow> other_reporters;  // where there are too many: the smallest, together
};
inline constexpr size_t kMostReporters = 500;

// Feedback in the store since then, and mail that is kept. What our own servers' logs tell is none.
//   Errors: those of the store.
Result<FeedbackStatus> feedback_status(store::Reader& reader, Time since,
                                       const SearchBounds& bounds);

}  // namespace watchpost::investigate
