#pragma once
#include "base/time.h"
#include "model/event.h"
#include "model/stream.h"
#include "model/suppression.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace watchpost::store {

struct EventQuery {
  std::optional<Time> since;
  std::optional<Time> until;
  std::vector<Stream::Part> equal;  // all must hold; any text field, not only dimensions
  std::optional<EventKind> kind;
  std::function<bool(const Event&)> where;  // row by row, after the rest
  size_t limit = 100;
  std::string after;  // cursor: the `next` of the page before
};
struct EventPage {
  EventBatch events;  // newest first
  std::string next;   // empty: no more
};

struct SuppressionQuery {
  std::string recipient;                // as suppression_key() has it; empty: all
  std::optional<std::string> customer;  // exactly; empty text: those for everybody
  std::optional<SuppressionReason> reason;
  std::optional<Time> since;    // made then or later
  std::optional<Time> held_at;  // only those that hold then
  size_t limit = 100;
  uint64_t before = 0;  // cursor: the last `change` of the page before; 0: from the start
};

struct ReaderOptions {
  // Memory for looking up Message-IDs, at most: what the filters of partitions take that are kept
  // from one events() to the next, and what is not indexed yet. The first such query reads all of
  // it. 0: none is kept, as suits a reader that is asked once.
  size_t for_message_ids = 0;
};

}  // namespace watchpost::store
