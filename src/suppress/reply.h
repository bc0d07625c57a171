#pragma once
#include "base/result.h"

#include <string>
#include <string_view>

namespace watchpost::suppress {

// How a suppressed recipient is refused.
inline constexpr std::string_view kUsualReply = "550 5.1.1 This recipient is not mailed any more";

// "550 5.1.1 text" of printable ASCII, at most 200 bytes: a code from 400 on, an enhanced status of
// the same class (RFC 3463), a text.
Result<Done> check_reply(std::string_view reply);
// With the mark that ends every refusal (ReplyTags): by it the log's reader knows that a reject was
// Watchpost's own doing (feedback/formats/postfix_reply.h), and the pipeline any other echo of it.
std::string marked(std::string_view reply, std::string_view mark);

// A line of an access(5) table of Postfix without its end. Empty where such a table cannot have the
// recipient: one that begins with `#`, which would be a comment, or `"`.
std::string access_line(std::string_view recipient, std::string_view reply, std::string_view mark);

}  // namespace watchpost::suppress
