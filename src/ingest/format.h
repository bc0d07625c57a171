#pragma once
#include "base/result.h"
#include "base/time.h"
#include "ingest/source.h"

#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

namespace watchpost::ingest {

// What the lines of a source mean: the part in which kinds of followed sources differ.
//   Threads: none inside.
class LineFormat : public FileReader {
 public:
  // Time went on; lines cannot be later than this.
  virtual void set_now(Time /*now*/) {}
  // The next line is the first one of a file.
  virtual void begin_file() {}
  // What takes long breaks off when stop is requested. Where it did, what the lines of this run
  // meant is not known: they are to be read again.
  virtual void stop_with(std::stop_token /*stop*/) {}
  virtual bool broke_off() const { return false; }
  // What later lines need of earlier ones, as bytes, and back.
  virtual std::string save() const { return {}; }
  virtual Result<Done> restore(std::string_view /*saved*/) { return Done{}; }
};

// A clock that far ahead is wrong; within it, an event moves the detectors' time on.
inline constexpr Duration kMostAhead = std::chrono::minutes(10);

// Events of `batch` from `first` on: sets the fields that mapping rules give. `now`: an event that
// claims to be from after it (by more than kMostAhead) gets clock_suspect and this time.
void map_events(const feedback::Mapping& mapping, EventBatch& batch, size_t first);
void check_clock(EventBatch& batch, size_t first, Time now);

}  // namespace watchpost::ingest
