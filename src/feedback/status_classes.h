#pragma once
#include "feedback/classifier.h"
#include "feedback/reply_words.h"

#include <cstdint>
#include <optional>

namespace watchpost::feedback {

// How sure a verdict by them is.
inline constexpr double kConfidenceOfStatus = 0.6;
inline constexpr double kConfidenceOfCode = 0.4;

// What an enhanced status (RFC 3463 and the IANA registry) or a reply code (RFC 5321) says by
// itself, for replies whose words no rule knows. Nothing where it says nothing: 550 and 5.0.0 stand
// for anything from an unknown user to a block.
std::optional<ReplyVerdict> class_of_status(const StatusCode& status);
std::optional<ReplyVerdict> class_of_code(uint16_t code);

}  // namespace watchpost::feedback
