#pragma once
#include <string_view>

namespace watchpost::feedback {

// Known shapes that carry no event: connections, TLS, statistics, warnings, notes about a message.
// `body` as logged, or behind the queue id where it has one. Everything else is not understood.
bool is_silent_line(std::string_view body);
bool is_silent_note(std::string_view behind_queue_id);

}  // namespace watchpost::feedback
