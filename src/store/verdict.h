#pragma once
#include "base/result.h"
#include "model/event.h"
#include "model/stream.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::store {

struct VerdictQuery {
  std::optional<Time> since;
  std::optional<Time> until;
  // Of its event: queue_id, message_id, recipient, sender or any other text; all must hold.
  std::vector<Stream::Part> equal;
  size_t limit = 100;
  size_t bytes = 16 << 20;  // of all together, about: where they are longer they are fewer
};
// A verdict with what of its event tells which message it is about.
struct MessageVerdict {
  EventId event;
  Time at;
  std::string queue_id;
  std::string message_id;
  std::string json;  // docs/formats/verdict.md, as it came
};

// Verdicts as bytes of a row: packed with zstd where that makes them shorter.
class VerdictPacker {
 public:
  VerdictPacker();
  ~VerdictPacker();
  VerdictPacker(VerdictPacker&&) noexcept;
  VerdictPacker& operator=(VerdictPacker&&) noexcept;

  // Good until the next call, and as long as `json`.
  std::string_view pack(std::string_view json);

 private:
  struct Room;
  std::unique_ptr<Room> room_;
};
// Bytes that are no shorter than `size` were not packed. Fails with corrupt where they do not come
// to just that size, or it is beyond all bounds.
Result<std::string> unpack_verdict(std::string_view bytes, uint64_t size);

}  // namespace watchpost::store
