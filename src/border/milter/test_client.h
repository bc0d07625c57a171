#pragma once
#include "border/milter/handler.h"
#include "net/test_client.h"

#include <arpa/inet.h>
#include <cstdint>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// For tests: the mail server's side of the milter protocol. It shares nothing with what it tests:
// frames are written and read here on their own.
namespace watchpost::border {

struct Said {
  char command = 0;
  std::string data;
  bool operator==(const Said&) const = default;
};

inline std::string be32(uint32_t number) {
  const uint32_t wire = htonl(number);
  std::string bytes(4, '\0');
  std::memcpy(bytes.data(), &wire, 4);
  return bytes;
}
inline uint32_t number_of(std::string_view bytes) {
  uint32_t wire = 0;
  std::memcpy(&wire, bytes.data(), 4);
  return ntohl(wire);
}

inline std::string say(char command, std::string_view data = {}) {
  return be32(static_cast<uint32_t>(data.size() + 1)) + command + std::string(data);
}
inline std::string texts(std::initializer_list<std::string_view> all) {
  std::string bytes;
  for (const std::string_view one : all) bytes.append(one).push_back('\0');
  return bytes;
}

// As Postfix 3.7 offers.
constexpr uint32_t kAllActions = 0x1FF;
constexpr uint32_t kAllSteps = 0x1FFFFF;
inline std::string offer(uint32_t version = 6, uint32_t actions = kAllActions,
                         uint32_t steps = kAllSteps) {
  return say('O', be32(version) + be32(actions) + be32(steps));
}
inline std::string macros_of(char stage, std::initializer_list<std::string_view> names_and_values) {
  return say('D', std::string(1, stage) + texts(names_and_values));
}
inline std::string connects(std::string_view name = "client.example",
                            std::string_view address = "192.0.2.7", char family = '4') {
  return say('C', texts({name}) + family + std::string("\x9d\x1c", 2) + texts({address}));
}
inline std::string field(std::string_view name, std::string_view value) {
  return say('L', texts({name, value}));
}
inline std::string message_with(std::string_view from, std::initializer_list<std::string_view> to,
                                std::string_view fields_and_body) {
  std::string bytes = say('M', texts({from}));
  for (const std::string_view one : to) bytes += say('R', texts({one}));
  return bytes + say('T') + std::string(fields_and_body) + say('E');
}

inline std::vector<Said> frames_in(std::string_view bytes) {
  std::vector<Said> all;
  while (bytes.size() >= 5 && bytes.size() >= 4 + number_of(bytes)) {
    const uint32_t length = number_of(bytes);
    all.push_back({.command = bytes[4], .data = std::string(bytes.substr(5, length - 1))});
    bytes.remove_prefix(4 + length);
  }
  if (!bytes.empty()) all.push_back({.command = '?', .data = std::string(bytes)});
  return all;
}
inline std::string commands_in(std::string_view bytes) {
  std::string commands;
  for (const Said& said : frames_in(bytes)) commands += said.command;
  return commands;
}

// What a mail server makes of an answer.
struct Understood {
  struct Change {
    char command = 0;  // h, i, m
    uint32_t place = 0;
    std::string name;
    std::string value;
    bool operator==(const Change&) const = default;
  };
  char verdict = 0;   // c, r, t, d; of a reply by its first digit: 5 is r, 4 is t
  std::string reply;  // with its percents undone
  std::vector<Change> header;
  std::vector<std::string> removed;
  std::string wrong;  // what it would not take
};

inline Understood understood(std::string_view bytes) {
  Understood got;
  for (const Said& said : frames_in(bytes)) {
    if (got.verdict != 0) got.wrong += "something after the verdict; ";
    std::string_view data = said.data;
    const auto text = [&] {
      const size_t end = data.find('\0');
      if (end == data.npos) got.wrong += "a text without an end; ";
      std::string one(data.substr(0, end));
      data.remove_prefix(end == data.npos ? data.size() : end + 1);
      return one;
    };
    switch (said.command) {
      case 'p': continue;
      case 'c':
      case 'r':
      case 't':
      case 'd': got.verdict = said.command; break;
      case 'y': {
        const std::string line = text();
        got.verdict = line.starts_with('5') ? 'r' : line.starts_with('4') ? 't' : '?';
        for (size_t i = 0; i < line.size(); ++i) {
          got.reply += line[i];
          if (line[i] == '%' && (i + 1 == line.size() || line[++i] != '%')) {
            got.wrong += "a lone percent; ";
          }
        }
        break;
      }
      case 'i':
      case 'm':
      case 'h': {
        Understood::Change change{.command = said.command, .place = 0, .name = {}, .value = {}};
        if (said.command != 'h') {
          change.place = number_of(data);
          data.remove_prefix(4);
        }
        change.name = text();
        change.value = text();
        got.header.push_back(std::move(change));
        break;
      }
      case '-': got.removed.push_back(text()); break;
      default: got.wrong += "an unknown reply; "; continue;
    }
    if (!data.empty()) got.wrong += "more than it should have; ";
  }
  if (got.verdict == 0) got.wrong += "no verdict; ";
  return got;
}

// Answers as it was told, and keeps what it was asked.
struct ScriptedHandler : Handler {
  bool looks_at(const Transaction& connection) override {
    const std::lock_guard lock(mutex);
    connections.push_back(connection);
    return looks;
  }
  Answer at_recipient(const Transaction&, const Recipient& recipient) override {
    const std::lock_guard lock(mutex);
    asked_recipients.push_back(recipient.address);
    return for_recipient ? for_recipient(recipient) : Answer{};
  }
  void at_end(std::shared_ptr<const Transaction> message, GiveAnswer give) override {
    {
      const std::lock_guard lock(mutex);
      messages.push_back(message);
    }
    if (for_message) return for_message(*message, std::move(give));
    give(answer);
  }
  Answer in_trouble(const Transaction& message, Trouble trouble) override {
    const std::lock_guard lock(mutex);
    troubles.push_back(trouble);
    trouble_with = message.mail_from;
    return trouble_answer;
  }

  std::mutex mutex;
  bool looks = true;
  Answer answer;
  Answer trouble_answer{.kind = Answer::Kind::tempfail, .reply = "451 4.7.1 try later"};
  std::function<Answer(const Recipient&)> for_recipient;
  std::function<void(const Transaction&, GiveAnswer)> for_message;
  std::vector<Transaction> connections;
  std::vector<std::string> asked_recipients;
  std::vector<std::shared_ptr<const Transaction>> messages;
  std::vector<Trouble> troubles;
  std::string trouble_with;
};

// On a socket.
class MilterClient : public net::Client {
 public:
  using net::Client::Client;

  // The next frame; nothing where the other side closed.
  std::optional<Said> hear_frame() {
    for (;;) {
      if (pending_.size() >= 4 && pending_.size() >= 4 + number_of(pending_)) {
        const size_t length = 4 + number_of(pending_);
        const Said said{.command = pending_[4], .data = pending_.substr(5, length - 5)};
        pending_.erase(0, length);
        return said;
      }
      const std::string more = hear();
      if (more.empty()) return std::nullopt;
      pending_ += more;
    }
  }
  // The commands of the next `count` frames, "" for each that does not come.
  std::string hear_commands(size_t count) {
    std::string commands;
    for (size_t i = 0; i < count; ++i) {
      const auto said = hear_frame();
      if (!said) break;
      commands += said->command;
    }
    return commands;
  }

 private:
  std::string pending_;
};

}  // namespace watchpost::border
