#include "suppress/reply_tags.h"

#include "base/text.h"
#include "crypto/digest.h"
#include "model/suppression.h"

#include <algorithm>
#include <span>

#include <fmt/format.h>

namespace watchpost::suppress {
namespace {

constexpr std::string_view kOpening = "(watchpost";
// No other use of the secret makes the same codes.
constexpr std::string_view kPurpose = "watchpost suppression reply\n";
// A reply may repeat an address, and an address may hold anything.
constexpr size_t kMostMarks = 8;

// At least one of the blanks that folding leaves.
bool take_blanks(std::string_view& text) {
  const size_t end = std::min(text.find_first_not_of(" \t\r\n"), text.size());
  text.remove_prefix(end);
  return end > 0;
}

// `text` begins behind the opening. Empty where it goes on in another way.
std::string_view code_at(std::string_view text) {
  constexpr std::string_view kWord = "suppression";
  if (!take_blanks(text) || !text.starts_with(kWord)) return {};
  text.remove_prefix(kWord.size());
  if (!take_blanks(text)) return {};
  if (text.size() <= ReplyTags::kLetters || text[ReplyTags::kLetters] != ')') return {};
  return text.substr(0, ReplyTags::kLetters);
}

}  // namespace

std::string ReplyTags::code_of(std::string_view recipient) const {
  const std::string key = suppression_key(recipient);
  if (key.empty()) return {};
  const crypto::Sha256 code = crypto::hmac_sha256(secret_, std::string(kPurpose) + key);
  return hex(std::span(code).first(kLetters / 2));
}

std::string ReplyTags::mark_of(std::string_view recipient) const {
  return fmt::format("(watchpost suppression {})", code_of(recipient));
}

bool ReplyTags::is_echo(const Event& event) const {
  if (!is_failure(event.kind) && event.kind != EventKind::rejected) return false;
  std::string_view reply = event[Field::reply];
  for (size_t marks = 0; marks < kMostMarks; ++marks) {
    const size_t at = reply.find(kOpening);
    if (at == std::string_view::npos) return false;
    reply.remove_prefix(at + kOpening.size());
    const std::string_view code = code_at(reply);
    if (code.empty()) continue;
    for (const Field whose : {Field::recipient, Field::original_recipient}) {
      if (crypto::equal_in_constant_time(code, code_of(event[whose]))) return true;
    }
  }
  return false;
}

}  // namespace watchpost::suppress
