#pragma once
#include <string_view>

namespace watchpost {

// Field::attribution of feedback that a token proved which was made with a customer's own key: it
// speaks of that customer's mail, and of nobody else's.
inline constexpr std::string_view kByCustomersToken = "customer's token";

// Field::proof of feedback that proved itself and was counted before, when less was said of it: it
// counts no more, but says whom not to mail.
inline constexpr std::string_view kToldInPart = "told before in part";

}  // namespace watchpost
