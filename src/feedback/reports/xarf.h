#pragma once
#include "base/result.h"
#include "feedback/reports/feedback_mail.h"
#include "mime/message.h"

#include <string_view>

namespace watchpost::feedback {

// An XARF report, version 1 to 4, as JSON. What its version and type ask for and it does not have
// is a defect of a report that counts. feedback_type is that
// of ARF (feedback_type_of() in xarf_types.h); the type itself and all else stand in the
// complaint's fields, by their path: "Report.ReportType", "category". A mail among the samples or
// the evidence becomes `original`.
//   Fails: bad_input where it is not JSON or no XARF, exhausted past a bound of read_json().
Result<FeedbackMail> read_xarf(std::string_view json);

// A mail that carries such a report: as application/json or in a file "x.json"; or X-ARF 0.1 and
// 0.2, whose report is lines "Name: value" in a text/plain part of a mail that has X-ARF or X-XARF
// in its header. False leaves `mail` as it is. A mail that says that it is one (by that field, or
// by a file "xarf.json") and cannot be read is one, with the reason as its defect.
bool read_xarf_mail(const mime::Message& message, FeedbackMail& mail);

}  // namespace watchpost::feedback
