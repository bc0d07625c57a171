#pragma once
#include "feedback/reports/feedback_mail.h"

#include <string>
#include <string_view>

namespace watchpost::feedback {

// The header field by which a sender asks for complaints, and the one by which it knows its mail
// again (RFC 9477 sections 5.1 and 5.2).
inline constexpr std::string_view kCfblAddress = "CFBL-Address";
inline constexpr std::string_view kCfblFeedbackId = "CFBL-Feedback-ID";

// A report came because the mail asked for it: its form becomes "cfbl", and the identifier is the
// first of the complaint's fields, without the blanks and comments that a sender may put into it.
// Whether the reporter, and the mail, are who they say is not judged here (RFC 9477 section 3.5
// asks for a signature).
void mark_cfbl(FeedbackMail& mail);
// A value of CFBL-Feedback-ID as its sender wrote it, before it was folded.
std::string cfbl_feedback_id(std::string_view value);

}  // namespace watchpost::feedback
