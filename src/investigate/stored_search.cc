#include "investigate/stored_search.h"

#include <utility>

namespace watchpost::investigate {
namespace {

constexpr uint64_t kBetweenLooks = 1024;  // events

}  // namespace

Result<SearchEnd> search_newest(store::Reader& reader, store::EventQuery query,
                                const SearchBounds& bounds,
                                const std::function<void(const Event&)>& each) {
  SearchEnd end;
  bool stopped = false;
  const auto is_over = [&](const Event& event) {
    if (bounds.deadline && std::chrono::steady_clock::now() >= *bounds.deadline) return true;
    return bounds.go_on && !bounds.go_on(event, end.events);
  };
  // What fits nothing is never part of a page: the store hands each event to the condition and
  // keeps none. The first that does fit ends a page of no events.
  query.limit = 0;
  query.after.clear();
  query.where = [&](const Event& event) {
    if (stopped) return true;
    if (++end.events % kBetweenLooks == 0 && is_over(event)) {
      stopped = true;
      // Of its hour and the one behind it some may not have been seen.
      end.reached = std::chrono::ceil<std::chrono::hours>(event.at) + std::chrono::hours(1);
      return true;
    }
    each(event);
    return false;
  };
  const auto page = reader.events(query);
  if (!page) return fail(page.error());
  return end;
}

}  // namespace watchpost::investigate
