#pragma once
#include "base/time.h"
#include "model/event.h"
#include "model/stream.h"

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

struct ReaderOptions {
  // Memory for looking up Message-IDs, at most: what the filters of partitions take that are kept
  // from one events() to the next, and what is not indexed yet. The first such query reads all of
  // it. 0: none is kept, as suits a reader that is asked once.
  size_t for_message_ids = 0;
};

}  // namespace watchpost::store
