#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace watchpost::feedback {

// What a piece of a report says of an SMTP reply.
struct ReplyInText {
  uint16_t code = 0;        // 4xx or 5xx; 0 for none
  std::string_view status;  // "5.1.1": the first that says more than x.0.0, else the first; empty
  bool any() const { return code != 0 || !status.empty(); }
};

// Finds the reply code and the enhanced status in running text, wherever they stand: "550-5.1.1
// no",
// "(#5.1.1)", "[SMTP Error Code 550]", "Remote Server returned '550 5.1.1 ...". Version numbers,
// ports and addresses are none. Looks at the first 2 kB.
ReplyInText reply_in(std::string_view text);

// The SMTP command that was answered, as events have it (Field::stage): "CONNECT", "EHLO", "MAIL",
// "RCPT", "DATA", "END-OF-MESSAGE"; empty where the text does not say. In any of the ways in which
// mail servers tell it: "(in reply to RCPT TO command)", ">>> RCPT To:", "after end of data".
std::string_view stage_in(std::string_view text);

}  // namespace watchpost::feedback
