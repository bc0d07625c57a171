#pragma once
#include "border/milter/session.h"
#include "border/milter/test_client.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace watchpost::border {

// For tests: a session that is told bytes, and whose handler answers at once. Answers that are
// given later are not taken.
struct MilterTalk {
  explicit MilterTalk(
      ScriptedHandler& asked,
      const Gathering::Limits& limits = {.protocol = {}, .message_bytes = 1 << 20},
      std::shared_ptr<MessageMemory> shared_memory = std::make_shared<MessageMemory>(4 << 20))
      : handler(asked), memory(std::move(shared_memory)), session(limits, memory, asked) {}

  // What was answered to it; `piece` bytes at a time.
  std::string hears(std::string_view bytes, size_t piece = std::string_view::npos) {
    std::string replies;
    for (;;) {
      switch (session.advance(now)) {
        case MilterSession::Next::close: closed = true; return replies;
        case MilterSession::Next::write: replies += session.take_replies(); break;
        case MilterSession::Next::judge: judge(); break;
        case MilterSession::Next::read: {
          most_held = std::max(most_held, session.held());
          if (bytes.empty()) return replies;
          const auto room = session.room();
          const size_t count = std::min({room.size(), bytes.size(), piece});
          std::copy_n(bytes.begin(), count, room.begin());
          session.put(count);
          bytes.remove_prefix(count);
          break;
        }
      }
    }
  }
  void judge() {
    std::optional<Answer> given;
    handler.at_end(session.message(), [&given](Answer answer) {
      given = std::move(answer);
      return true;
    });
    if (given) {
      session.conclude(*given);
    } else {
      session.conclude(Trouble::internal);
    }
  }

  ScriptedHandler& handler;
  std::shared_ptr<MessageMemory> memory;
  MilterSession session;
  Time now{std::chrono::seconds(1'700'000'000)};
  bool closed = false;
  size_t most_held = 0;
};

}  // namespace watchpost::border
