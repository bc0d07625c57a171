#pragma once
#include "feedback/reports/feedback_mail.h"
#include "mime/message.h"

#include <string_view>

namespace watchpost::feedback {

// An abuse report (RFC 5965; RFC 6591 for failed authentication, RFC 6650 for who sends them). A
// message is one where it is a multipart/report of `feedback-report`, or has a
// message/feedback-report that is not within another message. False leaves `mail` as it is.
//
// Lenient, since what is not read is lost: a field that has to be there and is not, one that is
// given twice, blank lines within the report, a report without its mail are defects of a report
// that counts. The kind follows from Feedback-Type: `not-spam` is complaint_withdrawn,
// `auth-failure` auth_failure, `opt-out` unsubscribe. The form is "arf", or "cfbl" (cfbl.h).
bool read_arf(const mime::Message& message, FeedbackMail& mail);

// The fields of a message/feedback-report alone. `complaint.feedback_type` is "other" where the
// report does not say it.
void read_arf_fields(std::string_view report, FeedbackMail& mail);

}  // namespace watchpost::feedback
