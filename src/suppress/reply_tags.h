#pragma once
#include "model/event.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace watchpost::suppress {

// How our own refusal of a suppressed recipient is known again, wherever it comes back from: in a
// notice, or in what one of our servers says the next one said. The mark that ends the refusal has
// a code over the recipient in it. Without the secret nobody can make one, and one that was seen is
// good for its recipient only.
//   Form:    "(watchpost suppression 0123456789abcdef)": the first 8 bytes of
//            HMAC-SHA-256(secret, purpose | suppression_key(recipient)), as hex.
//   Threads: immutable.
class ReplyTags {
 public:
  static constexpr size_t kLetters = 16;

  // `secret`: of this installation, the same after each start.
  explicit ReplyTags(std::string secret) : secret_(std::move(secret)) {}

  // What ends the refusal of this recipient.
  std::string mark_of(std::string_view recipient) const;
  // A mail that was refused, and by its reply with the mark of its recipient. Total.
  bool is_echo(const Event& event) const;

 private:
  std::string code_of(std::string_view recipient) const;
  std::string secret_;
};

}  // namespace watchpost::suppress
