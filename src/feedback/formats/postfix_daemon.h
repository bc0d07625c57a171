#pragma once
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

}  // namespace watchpost::feedback
