#pragma once
#include "feedback/formats/open_messages.h"
#include "feedback/formats/postfix_reply.h"
#include "model/event.h"

#include <cstdint>
#include <string_view>

namespace watchpost::feedback {

// The events made of one log line. Copies the line into the batch once, whatever number of texts
// are taken from it.
//   Use:     one for each line, on the stack.
class LineEvents {
 public:
  struct Origin {
    Time at;
    std::string_view text;  // the part of the line that fields are taken from
    std::string_view host;  // within it
    std::string_view service;
    std::string_view queue_id;  // empty for NOQUEUE
  };
  LineEvents(const Hash128& line_id, std::string_view source, EventBatch& into)
      : line_id_(line_id), source_(source), into_(into) {}

  void set_origin(const Origin& origin);
  void set_queue_id(std::string_view id) { origin_.queue_id = id; }
  // A new event with id, time, source, host, service and queue id. Good until the next add().
  Event& add(EventKind kind);
  // A part of the line, as it lives in the batch.
  std::string_view kept(std::string_view part) const;
  // Any other text, copied into the batch.
  std::string_view copied(std::string_view text) { return into_.keep(text); }
  // What earlier lines said about the message; fields that have a value keep it.
  void join(Event& event, const OpenMessage& message);

  const Origin& origin() const { return origin_; }

 private:
  Hash128 line_id_;
  std::string_view source_;
  EventBatch& into_;
  Origin origin_;
  const char* text_in_batch_ = nullptr;
  std::string_view source_in_batch_;
  uint32_t number_ = 0;
};

}  // namespace watchpost::feedback
