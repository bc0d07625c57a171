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
struct SentAnswer {
  Answer::Kind kind = Answer::Kind::proceed;
  bool text_left_out = false;     // its reply was none: the mail server's own words instead
  uint32_t changes_left_out = 0;  // of the header, which the mail server does not offer
  bool cannot_remove = false;     // recipients; put off instead
};

// At a recipient: its header and recipients are not looked at.
SentAnswer add_answer(std::string& out, const Answer& answer);
// At the end of `message`. Fails, and adds nothing, where a change cannot be sent: a field that is
// none, a recipient that the message does not have. What removes all recipients discards.
Result<SentAnswer> add_final_answer(std::string& out, const MilterTerms& terms,
                                    const Transaction& message, const Answer& answer);

// What is wanted of a mail server's offer; its version is one that we know.
MilterTerms terms_for(const MilterTerms& offered);
void add_terms(std::string& out, const MilterTerms& terms);

}  // namespace watchpost::border
