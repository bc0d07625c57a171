#pragma once
#include "base/time.h"

#include <chrono>
#include <cstdint>
#include <optional>

namespace watchpost::ingest {

// How far the reading of a pile is, from what is left of it now and then.
//   Use:     at() after each piece; nothing left ends the pile, and the next one begins.
//   Threads: none inside.
class CatchUp {
 public:
  using Ticks = std::chrono::steady_clock::time_point;

  // `bytes` are left at `now`. More than before: something was added.
  void at(uint64_t bytes, Ticks now);
  // Of the pile as far as it is known, from 0 to 1; nothing where nothing is left.
  std::optional<double> share() const;
  // At the pace since its beginning; nothing in the first seconds, where nothing is left, and where
  // nothing was read for a while.
  std::optional<Duration> left() const;

 private:
  uint64_t read_ = 0;  // of this pile
  uint64_t left_ = 0;
  Ticks began_;
  Ticks moved_;  // when something was read last
  Ticks now_;
};

}  // namespace watchpost::ingest
