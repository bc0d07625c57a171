#pragma once
#include "base/time.h"
#include "feedback/classifier.h"
#include "feedback/unread.h"
#include "model/event.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace watchpost::feedback {

struct PostfixLogLimits {
  size_t open_messages = 1'000'000;  // queue ids joined at once; the oldest are evicted
  size_t longest_line = 16 * 1024;   // bytes; what is longer is cut and counted
  // Of stamps without a zone ("Nov 24 03:00:01"), east of Greenwich. Without it: this machine's
  // zone.
  std::optional<std::chrono::minutes> utc_offset = std::nullopt;
};

// Postfix syslog lines -> events. Keeps, for each open queue id (per host and instance), what its
// earlier lines said, so that each delivery carries login, client, sender, Message-ID and size.
//   Use:     one for each log; feed lines in order.
//   Threads: none inside.
//   Fails:   never; lines that say nothing usable are counted in unread().
//   Source:  shapes as logged by Postfix 2.x to 3.9; docs/formats/postfix-log.md
class PostfixLog {
 public:
  // `source_name` goes into Field::source. `reference` is the latest time that a line can have
  // (file mtime or now): traditional stamps have no year.
  PostfixLog(const Classifier& classifier, std::string source_name, Time reference,
             PostfixLogLimits limits = {});
  PostfixLog(PostfixLog&&) noexcept;
  ~PostfixLog();

  // One line without its newline. Adds zero or more events, with ids made from `line_id` (identity
  // of this line in its source) and their number in the line. Does not apply any Mapping.
  void line(std::string_view text, const Hash128& line_id, EventBatch& into);

  // Moves the reference on, for a log that is followed.
  void set_reference(Time now);

  // The joined state as bytes, and back: goes into the source's position, so that a restart in the
  // middle of a message joins as before.
  std::string save() const;
  Result<Done> restore(std::string_view saved);

  const Unread& unread() const;
  uint64_t lines() const;
  uint64_t evicted() const;  // open messages dropped for room

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace watchpost::feedback
