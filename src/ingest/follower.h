#pragma once
#include "base/hash.h"
#include "base/result.h"
#include "base/time.h"
#include "feedback/unread.h"
#include "ingest/line_buffer.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace watchpost::ingest {

// Gives out the lines of something that grows, each once: a log, or a folder of segments.
//   Use:     start(), then read() until it gives nothing, then wait(); again.
//   Threads: none inside.
//   Fails:   only in start(); what is missing or unreadable is waited for, and state() says so.
class Follower {
 public:
  virtual ~Follower() = default;

  // What takes long, at a start above all, breaks off when stop is requested.
  virtual void stop_with(std::stop_token /*stop*/) {}
  // `position` is what position() gave, or empty at a first start. Errors: corrupt.
  virtual Result<Done> start(std::string_view position) = 0;
  using Each = std::function<void(const Line& line, const Hash128& line_id)>;
  // Gives out up to about `most` lines; returns how many. 0: there are no more for now.
  virtual size_t read(size_t most, const Each& each) = 0;
  // Until there may be more to read, `patience` is over, or stop is requested.
  virtual void wait(Duration patience, const std::stop_token& stop) = 0;

  // One line of text; nothing before there was anything to read.
  virtual std::optional<std::string> position() const = 0;
  virtual uint64_t bytes_behind() const = 0;
  virtual std::string state() const = 0;  // one sentence
  virtual bool healthy() const = 0;
  // Adds what could not be read, by reason.
  using Unread = std::map<std::string, feedback::Unread::Reason, std::less<>>;
  virtual void count_unread(Unread& unread) const = 0;
};

}  // namespace watchpost::ingest
