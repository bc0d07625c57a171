#pragma once
#include "feedback/reports/feedback_mail.h"
#include "mime/header.h"
#include "mime/message.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace watchpost::feedback {

// What attribution needs of the header of a mail that was complained about.
OriginalMail mail_of_header(const mime::Header& header);
// The same of bytes that begin with that header: a mail, or its header alone.
OriginalMail mail_of_text(std::string_view bytes);
// Whether it had, or may have had, more fields than are read.
inline constexpr size_t kMostOriginalFields = 2'000;
inline constexpr size_t kMostOriginalValue = 16'000;      // bytes of one
inline constexpr size_t kMostOriginalBytes = 512 * 1024;  // of all their values together
bool may_be_cut(const OriginalMail& mail);

// The mail that a report carries: message/rfc822 (also one that is packed in base64),
// message/global, text/rfc822-headers, or a file "x.eml".
struct CarriedMail {
  bool there = false;     // there is such a part
  bool withheld = false;  // and its content was taken out of it
  OriginalMail mail;
};
// The first such part whose number is `from` or more. Parts of mails within the mail are not looked
// at: a mail that was complained about may carry another.
CarriedMail carried_mail(const mime::Message& message, uint32_t from = 0);

// The value of the first field of that name; empty where there is none.
std::string_view field_of(const OriginalMail& mail, std::string_view name);

// The first text/plain of the message itself, at most `most` bytes of it; empty where there is
// none.
std::string first_text(const mime::Message& message, size_t most);

// Whether the part is of the message itself and not of a message that it carries.
bool is_own_part(const mime::Message& message, uint32_t part);

}  // namespace watchpost::feedback
