#pragma once
#include "base/result.h"
#include "base/time.h"
#include "feedback/classifier.h"
#include "model/event.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::feedback {

// Watchpost's own event format, version 1: one JSON object a line. docs/formats/event.md.
//   Use:     one reader for each source; it keeps its parse buffers.
//   Threads: none inside.
class EventJsonReader {
 public:
  // `source_name` goes into Field::source where the event has none.
  EventJsonReader(const Classifier& classifier, std::string source_name);
  EventJsonReader(EventJsonReader&&) noexcept;
  ~EventJsonReader();

  // One object without its newline. Without an `id`, the id is made from `line_id`; with one, from
  // the source name and that id, so that the same event by two ways is one event. A bounce or
  // deferral without a class is classified. Errors: bad_input, naming the key.
  // The batch has no new event then.
  Result<Done> read(std::string_view object, const Hash128& line_id, EventBatch& into);

  // Keys that the format does not know: left aside, so that a newer sender can speak to us, but
  // counted, so that a misspelt one is not lost silently.
  struct IgnoredKeys {
    uint64_t count = 0;
    std::vector<std::string> names;  // the first ones met
  };
  const IgnoredKeys& ignored() const;

  static constexpr size_t kMostBytes = 64 * 1024;  // of one object

 private:
  struct State;
  // Reads the first `size` bytes of the padded buffer.
  Result<Done> read_padded(size_t size, const Hash128& line_id, Event& event, EventBatch& batch);
  std::unique_ptr<State> state_;
};

// The event as one line of JSON, without a newline; read() gives the same event back, its id too.
// Always valid UTF-8: a byte that is not part of UTF-8 comes out as the character of its number. A
// number that the format cannot say (a negative delay) is left out.
std::string to_json(const Event& event);

}  // namespace watchpost::feedback
