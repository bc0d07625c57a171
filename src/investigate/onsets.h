#pragma once
#include "base/time.h"
#include "detect/rules.h"
#include "expr/expression.h"
#include "investigate/mail_count.h"
#include "investigate/scope_index.h"
#include "model/event.h"
#include "model/stream.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace watchpost::investigate {

// What a condition holds something against: the counts on the left of its first `/` or comparison.
// The bad ones of `bounced / attempted exceeds 2%` are `bounced`.
std::vector<expr::CountTerm> bad_counts(const expr::CountCondition& condition);

// When trouble began: for each detector and stream the first bad event of the window, and how much
// mail there was since.
//   Rules:   a bad event is one that counts for the condition's bad counts. Windows are kept in
//            sixteen steps, of each the first bad event: where trouble goes on for longer than a
//            window, what is told is right to a sixteenth of it.
//   Owns:    a place for each stream with a bad event in the window; bounded. What finds no room is
//            not told.
//   Threads: none inside.
class Onsets {
 public:
  struct Onset {
    Time first_bad;
    uint64_t messages = 0;  // since then
  };

  explicit Onsets(std::span<const detect::Detector> detectors);

  // Events in the order in which the detectors see them.
  void on(const Event& event);
  // Of what this detector (its place in the list) has in a window that begins at `since`.
  std::optional<Onset> of(size_t detector, const Stream& stream, Time since);

 private:
  // One bad count.
  struct Bad {
    size_t detector = 0;
    Direction direction = Direction::outbound;
    std::array<bool, kEventKinds> kinds{};
    std::vector<expr::RowCondition> where;
  };
  // The first bad event of a step, and the mail from it to the next mark.
  struct Mark {
    Time at;
    MailCount mail;
  };
  struct Track {
    size_t detector = 0;
    std::vector<Mark> marks;  // oldest first
  };
  struct Watched {
    std::vector<Track> tracks;
  };
  // All detectors of one direction that watch the same dimensions.
  struct Group {
    Direction direction = Direction::outbound;
    std::vector<Field> dimensions;
    std::vector<size_t> detectors;
    ScopeIndex<Watched> streams;
  };

  void add(size_t detector, const detect::Detector& rule);
  void find_bad(const Event& event);
  void begin(Group& group, const Event& event);
  void mark(Watched& watched, size_t detector, Time at);
  void sweep(Time now);

  std::vector<Bad> bad_;
  std::vector<Duration> windows_;  // by detector
  std::vector<Group> groups_;
  std::vector<char> is_bad_;  // by detector, of the event being read
  bool any_bad_ = false;
  size_t marks_ = 0;
  Time swept_at_ = Time::min();  // not again before
};

}  // namespace watchpost::investigate
