#pragma once
#include "feedback/reports/feedback_mail.h"
#include "feedback/reports/report_text.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace watchpost::feedback {

// What all readers of complaints do with the texts of others. Pure and total.

inline constexpr size_t kMostComplaintFields = 500;    // further fields of one report
inline constexpr size_t kMostComplaintValues = 1'000;  // of one field that may come again

// An address as reports have it: without angle brackets, "rfc822;", quotes around all of it, and
// whatever is said beside it. Where no address is to be seen, the text on one line.
std::string bare_address(std::string_view text);

// The first word that is an IP address, of "[192.0.2.1]", "192.0.2.1 (mail.example.com)", ...;
// where there is none, the text on one line.
std::string bare_ip(std::string_view text);
bool is_ip(std::string_view text);
bool is_ipv4(std::string_view text);
bool is_ipv6(std::string_view text);

// "<a@b>" and "a@b" are "a@b": of Message-ID.
std::string bare_message_id(std::string_view text);

// Adds a defect, each once.
void note(FeedbackMail& mail, std::string defect);

// Whether an address was made unreadable before it was sent (RFC 6590): a local part of stars,
// "redacted", or what only a hash looks like.
bool is_redacted(std::string_view address);

}  // namespace watchpost::feedback
