// A milter conversation. The first two bytes choose what the handler answers, the third in which
// form the rest stands: as it would come over the network, or a line for each frame ("M<a@x>|"),
// where `|` is a NUL, `^` an LF and `\` the end of a frame.
#include "border/milter/session.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace watchpost::border;

constexpr Gathering::Limits kLimits{.protocol = {.frame_bytes = 2000,
                                                 .recipients = 3,
                                                 .header_fields = 5,
                                                 .header_bytes = 300,
                                                 .text_bytes = 100,
                                                 .macros = 4,
                                                 .macro_bytes = 60},
                                    .message_bytes = 600};
constexpr size_t kMemory = 8192;

void check(bool holds) {
  if (!holds) __builtin_trap();
}

std::string frames_of(std::string_view lines) {
  std::string bytes;
  std::string frame;
  for (const char c : lines) {
    if (c == '\\' || c == '\n') {
      if (!frame.empty()) add_frame(bytes, frame[0], std::string_view(frame).substr(1));
      frame.clear();
    } else {
      frame += c == '|' ? '\0' : c == '^' ? '\n' : c;
    }
  }
  return bytes;
}

Answer answer_of(uint8_t byte, const Transaction& message) {
  Answer answer{.kind = static_cast<Answer::Kind>(byte & 3)};
  // Bytes of the message in all places: nothing of them may make another answer.
  if ((byte & 4) != 0) answer.reply = (byte & 8) != 0 ? "554 5.7.1 100%" : message.helo;
  if ((byte & 16) != 0) {
    answer.header.push_back({.kind = static_cast<HeaderChange::Kind>((byte >> 5) % 3),
                             .place = byte,
                             .name = (byte & 8) != 0 ? "X-A" : message.client_name,
                             .value = message.helo});
  }
  if ((byte & 128) != 0 && !message.recipients.empty()) {
    answer.remove_recipients.push_back(message.recipients.front().address);
  }
  return answer;
}

struct Fuzzed final : Handler {
  uint8_t first = 0;
  uint8_t second = 0;
  std::vector<Transaction> messages;

  bool looks_at(const Transaction&) override { return (second & 3) != 3; }
  Answer at_recipient(const Transaction& so_far, const Recipient&) override {
    return answer_of((second & 8) != 0 ? second : 0, so_far);
  }
  void at_end(std::shared_ptr<const Transaction> message, GiveAnswer answer) override {
    messages.push_back(*message);
    answer(answer_of(first, *message));
  }
  Answer in_trouble(const Transaction& message, Trouble) override {
    return answer_of(second, message);
  }
};

struct Heard {
  std::string replies;
  std::vector<Transaction> messages;
  bool closed = false;
};

void check_message(const Transaction& mail) {
  check(mail.message.size() <= kLimits.message_bytes && mail.message.size() <= mail.size);
  check(mail.recipients.size() <= kLimits.protocol.recipients);
  check(mail.macros.size() <= kLimits.protocol.macros);
  check(mail.cut || mail.too_many_fields || mail.message.size() == mail.size);
  check(mail.helo.size() <= kLimits.protocol.text_bytes);
}

Heard converse(Fuzzed handler, std::string_view bytes, size_t piece) {
  const auto memory = std::make_shared<MessageMemory>(kMemory);
  Heard heard;
  {
    MilterSession session(kLimits, memory, handler);
    for (;;) {
      const auto next = session.advance({});
      if (next == MilterSession::Next::close) break;
      if (next == MilterSession::Next::write) {
        const std::string replies = session.take_replies();
        check(!replies.empty());
        heard.replies += replies;
      } else if (next == MilterSession::Next::judge) {
        handler.at_end(session.message(), [&session](const Answer& a) {
          session.conclude(a);
          return true;
        });
      } else if (bytes.empty()) {
        session.end_of_input();
      } else {
        const auto room = session.room();
        check(!room.empty());
        const size_t count = std::min({room.size(), bytes.size(), piece});
        std::copy_n(bytes.begin(), count, room.begin());
        session.put(count);
        bytes.remove_prefix(count);
      }
      check(memory->used() <= kMemory && session.held() <= kMemory + 64 * 1024);
    }
    heard.closed = session.fault().has_value();
  }
  check(memory->used() == 0);
  heard.messages = std::move(handler.messages);
  return heard;
}

// Nothing but whole replies that the protocol has.
void check_replies(std::string_view replies) {
  constexpr std::string_view kKnown = "Ocartdyshim-";
  while (!replies.empty()) {
    const auto length = take_number(replies);
    check(length && *length >= 1 && *length <= replies.size());
    check(kKnown.find(replies.front()) != kKnown.npos);
    if (replies.front() == 'y') {
      const std::string_view text = replies.substr(1, *length - 1);
      check(text.starts_with("554 5.7.1 ") ||
            is_reply_of(Answer::Kind::tempfail, text.substr(0, text.size() - 1)) ||
            is_reply_of(Answer::Kind::reject, text.substr(0, text.size() - 1)));
    }
    replies.remove_prefix(*length);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3) return 0;
  Fuzzed handler;
  handler.first = data[0];
  handler.second = data[1];
  const std::string_view rest(reinterpret_cast<const char*>(data) + 3, size - 3);
  const std::string bytes = data[2] == 'l' ? frames_of(rest) : std::string(rest);
  const Heard whole = converse(handler, bytes, std::string_view::npos);
  check_replies(whole.replies);
  for (const Transaction& mail : whole.messages) check_message(mail);
  for (const size_t piece : {size_t{1}, size_t{3}, size_t{50}}) {
    const Heard cut = converse(handler, bytes, piece);
    check(cut.replies == whole.replies && cut.closed == whole.closed);
    check(cut.messages.size() == whole.messages.size());
    for (size_t i = 0; i < cut.messages.size(); ++i) {
      check(cut.messages[i].message == whole.messages[i].message);
    }
  }
  return 0;
}
