#pragma once
#include "base/result.h"
#include "model/event.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace watchpost::store {

// An event as the body of a row: all but its time and kind, which are columns. Texts that are not
// known take no space. docs/formats/store.md.
class EventEncoder {
 public:
  // Good until the next call.
  std::string_view encode(const Event& event);

 private:
  std::unique_ptr<char[]> bytes_;
  size_t size_ = 0;
};

// Fills all but time and kind. The texts of `event` then point into `body`.
// Fails with corrupt, for the caller to say where.
Result<Done> decode_event(std::string_view body, Event& event);
// Its id alone, and one of its texts alone (empty: it has none).
Result<EventId> event_id_of(std::string_view body);
Result<std::string_view> event_text_of(std::string_view body, Field field);

// The numbers of kinds on disk, whatever the order of the enum.
int64_t number_of(EventKind kind);
Result<EventKind> event_kind_of(int64_t number);

// What a sealed partition can be searched by without reading its rows.
inline constexpr uint64_t kEveryRow = 0;
std::span<const Field> searchable_fields();
// Never kEveryRow. Two values may have one key: the row says which it is.
uint64_t search_key(Field field, std::string_view value);
// 0 for the kinds that most rows are of: looking for those means reading on anyway.
uint64_t search_key(EventKind kind);

}  // namespace watchpost::store
