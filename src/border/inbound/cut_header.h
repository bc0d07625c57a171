#pragma once
#include "mime/header.h"

#include <string_view>

namespace watchpost::border {

// Whether the sender's header seems to go on in the body. A mail server ends the header at the
// first line that is no field ("From" with its colon on the next line) and puts a From of its own
// into it; the author that the sender wrote stands in the body then, where some readers still find
// a header (reliability E-S9, E-S11). Only where the header has neither To, Cc nor Subject: people
// quote headers in genuine mail. Pure; looks at the first lines alone.
bool header_goes_on_in_body(std::string_view message, const mime::Header& header);

}  // namespace watchpost::border
