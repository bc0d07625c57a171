#pragma once
#include "feedback/formats/postfix_body.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace watchpost::feedback {

// An SMTP reply: "550-5.1.1 text 550 5.1.1 text".
struct SmtpReply {
  uint16_t code = 0;        // 0 where it begins with none
  std::string_view status;  // enhanced status, where it has one
};
SmtpReply read_smtp_reply(std::string_view text);

// Why a delivery failed, from the bracket behind "status=".
struct FailureText {
  std::string_view reply;  // what the server said; all of the text where nobody said anything
  PostfixPeer peer;        // as named in the text
  std::string_view stage;  // "CONNECT", "RCPT", "END-OF-MESSAGE", ...; a constant, not of the line
};
FailureText read_failure(std::string_view text);

// smtpd, postscreen or a milter, behind "reject: ", "milter-reject: " or "proxy-reject: ".
struct RejectLine {
  std::string_view stage;
  PostfixPeer client;
  std::string_view reply;
  std::string_view sender;
  bool has_sender = false;  // the null sender is one
  std::string_view recipient;
  std::string_view credential;
};
std::optional<RejectLine> read_reject(std::string_view text);
// cleanup, behind "reject: ": header_checks and body_checks.
std::optional<RejectLine> read_content_reject(std::string_view text);

// Our own answer to a policy request, or that of an access table of ours: the reply ends in
// " (watchpost d-17)" or " (watchpost suppression 0123456789abcdef)", the code being optional. Only
// asked of lines in which smtpd itself says "reject"; `text` is all behind that word.
bool is_our_own_reply(const RejectLine& line, std::string_view text);
// The same of lines that say "milter-reject", of smtpd or cleanup: what our milter answered, with
// "(watchpost border)" too.
bool is_our_milters_reply(const RejectLine& line, std::string_view text);

}  // namespace watchpost::feedback
