#include "ingest/format.h"

namespace watchpost::ingest {

void map_events(const feedback::Mapping& mapping, EventBatch& batch, size_t first) {
  for (Event& event : batch.events().subspan(first)) mapping.apply(event, batch);
}

void check_clock(EventBatch& batch, size_t first, Time now) {
  for (Event& event : batch.events().subspan(first)) {
    if (event.at - now <= kMostAhead) continue;
    event.clock_suspect = true;
    event.at = now;
  }
}

}  // namespace watchpost::ingest
