#pragma once
#include "feedback/reports/feedback_mail.h"
#include "feedback/reports/notice_text.h"

namespace watchpost::feedback {

// A notification of Amazon SES that SNS sends by mail: JSON in the text, as it is or wrapped once
// more as the "Message" of an SNS notification, with a line for people below. A bounce, a
// complaint, a delivery or a delay. The form is "amazon-ses". Nothing is judged: classes are the
// caller's. False leaves `mail` as it is.
bool read_amazon_notification(const NoticeText& text, FeedbackMail& mail);

}  // namespace watchpost::feedback
