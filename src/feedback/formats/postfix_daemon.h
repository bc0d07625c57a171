#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace watchpost::feedback {

// The parts of Postfix, by what their log lines can say.
enum class PostfixDaemon : uint8_t {
  none,        // not a part of Postfix
  unknown,     // "postfix/..." that is not in the list
  quiet,       // never says anything about a message or a login: anvil, master, scache, ...
  smtpd,       // also what runs under it: submission/smtpd
  postscreen,  // the door before smtpd
  cleanup,
  pickup,
  qmgr,
  remote,   // smtp: delivers to other servers
  mailbox,  // local, virtual, pipe, lmtp: delivers into mailboxes
  failure,  // error, retry, discard: delivers nowhere
  bounce,   // bounce, defer, trace
  postsuper,
};

// What stands before the colon of a log line: "postfix/smtpd", "postfix-out/smtp",
// "postfix/submission/smtpd".
struct PostfixTag {
  PostfixDaemon daemon = PostfixDaemon::none;
  std::string_view instance;  // "postfix", "postfix-out"
  std::string_view service;   // "smtpd", "submission/smtpd", "postfix-out/smtp"
};
PostfixTag read_postfix_tag(std::string_view program);

// The same, remembering the programs that a log names again and again.
class PostfixTags {
 public:
  PostfixTag read(std::string_view program);

 private:
  static constexpr size_t kKnown = 32;
  static constexpr size_t kLongest = 40;
  struct Known {
    std::array<char, kLongest> program{};
    uint8_t size = 0;
    PostfixDaemon daemon = PostfixDaemon::none;
    uint8_t instance = 0;  // its length, from the front
    uint8_t service = 0;   // where it begins; it goes to the end
  };
  std::array<Known, kKnown> known_;
};

}  // namespace watchpost::feedback
