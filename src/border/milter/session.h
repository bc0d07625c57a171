#pragma once
#include "border/milter/frames.h"
#include "border/milter/gathering.h"
#include "border/milter/handler.h"
#include "border/milter/replies.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace watchpost::border {

// Why a mail server's bytes are not the protocol.
enum class MilterGarbage : uint8_t {
  frame_length,
  unknown_command,
  wrong_order,
  malformed,  // the data of a frame are not what its command has
  too_long,   // a text that no SMTP command holds
  version,
  broken_off,  // in the middle of a frame
};
inline constexpr size_t kGarbageKinds = 7;
std::string_view name_of(MilterGarbage garbage);

// The filter's side of one milter conversation without a socket: bytes in, answers out. Pure but
// for what the handler does: however the input is cut, the same comes out.
//   Use:     advance() says what to do next, over and over:
//              read   read into room(), then put()
//              write  send take_replies()
//              judge  find out what becomes of message(), then conclude()
//              close  it is over; where fault() is there, because of that
//   Owns:    a read buffer, a message within the limits, and replies to 16 KiB.
//   Threads: none inside.
//   Fails:   never; what is not the protocol ends the conversation.
class MilterSession {
 public:
  enum class Next : uint8_t { read, write, judge, close };
  // What the mail server may take its time for. `data`: its client is sending the message, of which
  // nothing is heard until that is done. `content`: from the first field to the end.
  enum class Stage : uint8_t { idle, envelope, data, content };
  struct Fault {
    MilterGarbage kind;
    std::string what;  // not escaped
  };
  // By Answer::Kind; all only grow.
  struct Counts {
    std::array<uint64_t, 4> at_recipients{};
    std::array<uint64_t, 4> at_ends{};
    uint64_t messages = 0;
    uint64_t connections_not_looked_at = 0;
    uint64_t overloads = 0;
    uint64_t unsendable = 0;        // answers of the handler that are none: in trouble instead
    uint64_t texts_left_out = 0;    // replies that are none
    uint64_t changes_left_out = 0;  // which the mail server does not offer
    uint64_t removals_put_off = 0;  // of recipients, which it does not offer
    bool operator==(const Counts&) const = default;
  };

  // `handler` outlives it.
  MilterSession(const Gathering::Limits& limits, std::shared_ptr<MessageMemory> memory,
                Handler& handler);

  std::span<char> room() { return reader_.room(); }
  void put(size_t count) { reader_.put(count); }
  void end_of_input();  // the mail server has closed its side
  Next advance(Time now);
  std::string take_replies();

  // While it is to be judged. Whoever was given it may keep it.
  std::shared_ptr<const Transaction> message() const { return mail_.message(); }
  void conclude(const Answer& answer);
  void conclude(Trouble trouble);

  Stage stage() const;
  uint64_t turn() const { return turn_; }  // frames so far
  size_t held() const { return reader_.held() + mail_.held(); }
  const std::optional<Fault>& fault() const { return fault_; }
  const Counts& counts() const { return counts_; }
  const std::string& last_unsendable() const { return last_unsendable_; }

 private:
  enum class State : uint8_t {
    start,
    agreed,
    connected,
    mail,
    recipients,
    data,
    header,
    body,
    judging,
    closed,
  };

  void obey(const Frame& frame, Time now);
  bool is_in_envelope() const;
  bool is_in_order(MilterCommand command) const;
  void obey_envelope(MilterCommand command, std::string_view data, Time now);
  void obey_content(MilterCommand command, std::string_view data);
  void negotiate(std::string_view data);
  void macros(std::string_view data);
  void set_macro(MilterCommand stage, std::string_view name, std::string_view value);
  void connect(std::string_view data);
  bool take_client_address(std::string_view data);
  void helo(std::string_view data);
  void mail(std::string_view data, Time now);
  void recipient(std::string_view data);
  void ask_at_recipient(const Recipient& recipient);
  void header(std::string_view data);
  void end_header();
  void body(std::string_view data);
  void end_of_message(std::string_view data);
  void abort();
  void conclude_unsendable();
  void answered(const SentAnswer& sent);
  void message_over();
  void go_on_unless(uint32_t step);
  void break_off(MilterGarbage kind, std::string what);

  const Gathering::Limits limits_;
  Handler& handler_;
  FrameReader reader_;
  Gathering mail_;
  MilterTerms terms_;
  State state_ = State::start;
  bool looks_ = true;
  bool input_ended_ = false;
  uint64_t turn_ = 0;
  std::string replies_;
  std::optional<Fault> fault_;
  Counts counts_;
  std::string last_unsendable_;
};

}  // namespace watchpost::border
