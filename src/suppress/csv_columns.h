#pragma once
#include "base/result.h"
#include "model/suppression.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::suppress {

enum class CsvColumn : uint8_t { unused, recipient, customer, reason, until, note, state };

// What a list's columns hold.
struct CsvColumns {
  std::vector<CsvColumn> columns;
  bool named = false;  // by a heading, rather than taken for granted
};

// recipient, customer, reason, until, note.
CsvColumns usual_columns();
// Those that a heading names, letters in either case and without blanks, hyphens and underscores:
// `Email Address` is `email_address`. Names that are not known are `unused`; nothing where none is
// for the recipient. Of several that are, the one that says so most clearly counts (`email` before
// `address`, which may be a street).
std::optional<CsvColumns> columns_named(std::span<const std::string> fields);
// "recipient,,reason", or "usual" where nothing named them: as columns_from() takes it. Empty where
// there are none.
std::string text_of(const CsvColumns& columns);
// Fails with bad_input where `text` names no recipient.
Result<CsvColumns> columns_from(std::string_view text);

// As we call it, or as others do: `bounce`, `spam`, `unsubscribed`.
std::optional<SuppressionReason> reason_called(std::string_view name);

}  // namespace watchpost::suppress
