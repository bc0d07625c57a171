#pragma once
#include "feedback/unread.h"
#include "ingest/catch_up.h"
#include "ingest/source.h"

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace watchpost::ingest {

// What a source of mail says of itself.
//   Threads: any.
class MailCounts {
 public:
  // A mail was read: its events, or why there are none.
  void note(const Arrival& arrival, std::string_view sender);
  // A mail of which only the beginning is kept.
  void too_large(std::string_view why);
  // A mail that could not be read, for a reason of a small fixed set.
  void unread(std::string_view reason, std::string_view sample);
  void tell(std::string state, bool healthy = true, uint64_t bytes_behind = 0);
  SourceStatus status() const;

 private:
  mutable std::mutex mutex_;
  SourceStatus status_{.state = "not started"};
  feedback::Unread unread_;
  CatchUp pile_;
};

}  // namespace watchpost::ingest
