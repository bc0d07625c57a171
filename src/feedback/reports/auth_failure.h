#pragma once
#include "feedback/reports/feedback_mail.h"
#include "mime/message.h"

#include <string_view>

namespace watchpost::feedback {

// A report that a mail failed DMARC, written for people: no message/feedback-report, but a subject
// that says so, "Name: value" lines, and the mail's header below them or attached. (Those in ARF,
// RFC 6591, are read_arf's.) False leaves `mail` as it is. Its form is "dmarc_text".
bool read_auth_failure_text(const mime::Message& message, FeedbackMail& mail);

}  // namespace watchpost::feedback
