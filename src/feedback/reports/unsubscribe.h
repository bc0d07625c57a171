#pragma once
#include "feedback/reports/feedback_mail.h"
#include "mime/message.h"

#include <optional>
#include <string>
#include <string_view>

namespace watchpost::feedback {

// A request by mail to be taken off a list, as a mailto: in List-Unsubscribe makes one (RFC 2369
// section 3.2): by its address ("unsubscribe+TOKEN@", "news-unsubscribe@", "news-leave@"), by a
// subject, or by a body, that is the command and nothing else. `mail.unsubscribe` becomes
// "who TOKEN", or "who" where there is no token. A mail that only speaks of it (an answer, a
// newsletter, a sentence) is none; neither is one that a program sent in answer.
bool read_unsubscribe(const mime::Message& message, FeedbackMail& mail);

// The token of a line that is the command: "unsubscribe", "Unsubscribe: k3X9", "unsubscribe
// kim@example.com"; empty where it has none. Nothing where the line is not the command.
std::optional<std::string> unsubscribe_command(std::string_view line);
// The token of the local part of an address for it. Nothing where it is another address.
std::optional<std::string> unsubscribe_address(std::string_view local);

}  // namespace watchpost::feedback
