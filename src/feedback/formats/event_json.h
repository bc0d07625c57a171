#pragma once
#include "base/result.h"
#include "base/time.h"
#include "feedback/classifier.h"
#include "model/event.h"

#include <memory>
#include <string>
#include <string_view>

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
  Result<Done> read(std::string_view object, const Hash128& line_id, EventBatch& into);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The event as one line of JSON, without a newline; read() gives the same event back.
std::string to_json(const Event& event);

}  // namespace watchpost::feedback
