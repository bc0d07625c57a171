#pragma once
#include "border/milter/answer.h"
#include "border/milter/transaction.h"

#include <functional>
#include <memory>
#include <string_view>

namespace watchpost::border {

// Why there is no verdict.
enum class Trouble : uint8_t {
  deadline,  // it took too long
  overload,  // no memory for the message, or too many are being judged
  internal,  // whoever should have answered is gone, or answered what cannot be sent
};
std::string_view name_of(Trouble trouble);

// Hands over the answer. False: it comes too late, and in_trouble() has been answered instead.
using GiveAnswer = std::function<bool(Answer)>;

// What a milter's sessions ask.
//   Threads: all functions may be called from any thread, and must not wait.
class Handler {
 public:
  virtual ~Handler() = default;
  // False: the mail of this connection is not looked at. Asked at connect.
  virtual bool looks_at(const Transaction& connection) = 0;
  // At each recipient that the mail server takes. Its header changes are not looked at.
  virtual Answer at_recipient(const Transaction& so_far, const Recipient& recipient) = 0;
  // At the end of a message. `answer` is called once, from any thread, perhaps before at_end()
  // returns; where it goes without having been called, that is Trouble::internal. What comes after
  // the deadline is not sent.
  virtual void at_end(std::shared_ptr<const Transaction> message, GiveAnswer answer) = 0;
  // What is answered instead: the configured one.
  virtual Answer in_trouble(const Transaction& message, Trouble trouble) = 0;
};

}  // namespace watchpost::border
