#pragma once
#include "border/inbound/facts.h"
#include "expr/expression.h"

#include <array>
#include <cstddef>
#include <optional>
#include <string>

namespace watchpost::border {

// What filter rules may speak of: one message, and what was found out about it.
// docs/reference/filters.md is the manual.
const expr::Schema& message_schema();

// Whether a field says what we knew of a party before this message.
bool is_reputation(size_t field);

// Whether a field says who gets the message.
bool is_recipient(size_t field);

// Reads a message as a row of message_schema(). What is not there, or nobody knows, is Unknown.
//   Owns:    what it has made of the message's bytes, once for all rules; the facts outlive it.
//   Threads: one.
class MessageRow final : public expr::Row {
 public:
  static constexpr size_t kFields = 46;
  explicit MessageRow(const Facts& facts) : facts_(facts) {}
  expr::Value read(size_t field) const override;
  // From now on as if that one alone got it; nobody: all of them, in one text.
  void only_for(const std::string* recipient);

 private:
  const Facts& facts_;
  mutable std::array<std::optional<std::string>, kFields> texts_;
};

}  // namespace watchpost::border
