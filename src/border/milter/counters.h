#pragma once
#include "base/metrics.h"
#include "border/milter/session.h"

#include <array>
#include <string>

namespace watchpost::border {

// What a server counts; `milter` is a label of each.
//   Threads: any.
class MilterCounters {
 public:
  MilterCounters(Metrics& metrics, const std::string& milter);

  // Adds what the session has counted since it was last seen.
  void add(const MilterSession::Counts& now, MilterSession::Counts& seen);
  void garbage(Garbage kind) { garbage_[static_cast<size_t>(kind)]->add(); }
  uint64_t messages() const { return messages_.value(); }

  Counter& connections;
  Gauge& open;
  Gauge& memory;
  Histogram& latency;
  Counter& too_many;
  Counter& idle;
  Counter& too_slow;
  Counter& vanished;  // within a message
  Counter& deadline_missed;
  Counter& unanswered;
  Counter& late;  // answers that came after the deadline

 private:
  Counter& messages_;
  Counter& not_looked_at_;
  Counter& overloads_;
  Counter& unsendable_;
  Counter& texts_left_out_;
  Counter& changes_left_out_;
  Counter& removals_put_off_;
  std::array<Counter*, 4> at_recipients_;
  std::array<Counter*, 4> at_ends_;
  std::array<Counter*, kGarbageKinds> garbage_;
};

}  // namespace watchpost::border
