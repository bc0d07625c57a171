#pragma once
#include "border/milter/memory.h"
#include "border/milter/protocol.h"
#include "border/milter/settings.h"
#include "border/milter/transaction.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace watchpost::border {

// A transaction as it comes together, within its limits.
//   Use:     the connection's facts, then begin() and what is said of a message, end_header() and
//            body; forget() when it has been answered or broken off.
//   Owns:    the message, together with whoever was given it by message(). Its memory is counted
//            until the last of them lets go.
//   Threads: none inside.
//   Fails:   never: what is past a limit is left out, and the transaction says so.
class Gathering {
 public:
  struct Limits {
    MilterLimits protocol;
    size_t message_bytes = 0;
  };
  Gathering(const Limits& limits, std::shared_ptr<MessageMemory> memory);

  // Of the connection.
  Transaction& connection() { return connection_; }
  void connection_macro(std::string_view name, std::string_view value);
  void forget_connection();

  // Of the message.
  void begin_message();  // its macros come before it
  bool has_message() const { return kept_ != nullptr; }
  void message_macro(std::string_view name, std::string_view value);
  void forget_macro(std::string_view name);
  void mail_from(std::string address, std::string arguments, Time now);
  void recipient(Recipient recipient);
  void refused_recipient() { ++kept_->mail.recipients_refused; }
  // `leading_space`: the value is as it was written; else the mail server took one blank off it.
  void field(std::string_view name, std::string_view value, bool leading_space);
  void end_header();
  void body(std::string_view bytes);
  void forget() {
    kept_.reset();
    line_ = std::string();
  }

  const Transaction& so_far() const { return kept_ ? kept_->mail : connection_; }
  std::shared_ptr<const Transaction> message() const;
  bool cut() const { return kept_->mail.cut; }
  bool out_of_memory() const { return kept_->out_of_memory; }
  size_t held() const { return kept_ ? kept_->share.bytes() : 0; }

 private:
  struct Kept {
    explicit Kept(std::shared_ptr<MessageMemory> memory) : share(std::move(memory)) {}
    Transaction mail;
    size_t header_bytes = 0;
    size_t beside = 0;  // bytes of a first field that counts for no limit: that of a release
    size_t macro_bytes = 0;
    size_t room = 0;  // for the message's bytes, as counted
    bool out_of_memory = false;
    MemoryShare share;
  };

  void set_macro(Transaction& mail, size_t& bytes, std::string_view name, std::string_view value);
  void append(std::string_view bytes);
  bool make_room(size_t bytes);
  void give_up();

  const Limits limits_;
  const std::shared_ptr<MessageMemory> memory_;
  Transaction connection_;
  size_t connection_macro_bytes_ = 0;
  std::shared_ptr<Kept> kept_;
  std::string line_;
};

}  // namespace watchpost::border
