#pragma once
#include <string_view>

namespace watchpost {

// Field::attribution of feedback that a token proved which was made with a customer's own key: it
// speaks of that customer's mail, and of nobody else's.
inline constexpr std::string_view kByCustomersToken = "customer's token";

}  // namespace watchpost
