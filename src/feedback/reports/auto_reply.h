#pragma once
#include "feedback/reports/feedback_mail.h"
#include "feedback/reports/notice_text.h"
#include "mime/message.h"

#include <string_view>

namespace watchpost::feedback {

// Mail that a program sent in answer and that is no notice of a delivery. Each returns whether it
// is one and leaves `mail` as it is where not; ask after the readers of reports and notices.

// A challenge: the sender is to prove to be human before the message is delivered.
bool read_challenge(const mime::Message& message, const NoticeText& text, FeedbackMail& mail);
// The words of a challenge in the reason of a report: such services send reports as well.
bool is_challenge(std::string_view diagnostic);

// A vacation notice, out of office, "we have your mail" (RFC 3834; and those that do not know it).
bool read_auto_reply(const mime::Message& message, const NoticeText& text, FeedbackMail& mail);

// A message/disposition-notification (RFC 8098): a receipt, which is an auto-reply; or a message
// that was thrown away by the rules of the recipient, which is a bounce of that recipient.
bool read_disposition(const mime::Message& message, FeedbackMail& mail);

}  // namespace watchpost::feedback
