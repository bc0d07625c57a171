#pragma once
#include "base/result.h"
#include "border/milter/answer.h"
#include "border/milter/protocol.h"
#include "border/milter/transaction.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace watchpost::border {

// Answers as frames. Each is looked at first: nothing goes out that a mail server could read as
// anything but what was decided.

// Whether it is one SMTP reply, "554 5.7.1 text", that says what `kind` does.
bool is_reply_of(Answer::Kind kind, std::string_view reply);
// Whether a field may be put into a message, or taken out of it.
bool is_sendable(const HeaderChange& change);

// What an answer became.
struct Sent {
  Answer::Kind kind = Answer::Kind::proceed;
  bool text_left_out = false;     // its reply was none: the mail server's own words instead
  uint32_t changes_left_out = 0;  // of the header, which the mail server does not offer
  bool cannot_remove = false;     // recipients; put off instead
};

// At a recipient: its header and recipients are not looked at.
Sent add_answer(std::string& out, const Answer& answer);
// At the end of `message`. Fails, and adds nothing, where a change cannot be sent: a field that is
// none, a recipient that the message does not have. What removes all recipients discards.
Result<Sent> add_final_answer(std::string& out, const MilterTerms& terms,
                              const Transaction& message, const Answer& answer);

// The answer to the offer of a mail server, and what it comes to. Nothing where the offer is none
// that we know.
struct Offer {
  uint32_t version = 0;
  uint32_t actions = 0;
  uint32_t steps = 0;
};
MilterTerms terms_for(const Offer& offer);
void add_terms(std::string& out, const MilterTerms& terms);

}  // namespace watchpost::border
