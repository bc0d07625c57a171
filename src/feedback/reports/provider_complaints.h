#pragma once
#include "feedback/reports/feedback_mail.h"
#include "mime/message.h"

namespace watchpost::feedback {

// Complaints that providers send in a form of their own. In the order in which they are looked for:
//   "microsoft"  the mail with X-HmXmrOriginalRecipient in its header, attached (Junk Mail
//   Reporting
//                Program) or sent on as it was
//   "spamcop"    a text with the mail's header behind "[ Offending message ]"
//   "attached"   any mail that carries the mail, and whose subject says that it is a complaint
// Read what is no bounce and no ARF; false leaves `mail` as it is.
bool read_provider_complaint(const mime::Message& message, FeedbackMail& mail);

}  // namespace watchpost::feedback
