#include "suppress/csv_columns.h"

#include "base/ascii.h"
#include "base/text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>

#include <fmt/format.h>

namespace watchpost::suppress {
namespace {

struct Name {
  std::string_view name;  // as folded() makes it
  CsvColumn column;
};
// Those of the recipient as clear as they are.
constexpr std::array kNames{Name{"recipient", CsvColumn::recipient},
                            Name{"email", CsvColumn::recipient},
                            Name{"emailaddress", CsvColumn::recipient},
                            Name{"recipientemail", CsvColumn::recipient},
                            Name{"recipientaddress", CsvColumn::recipient},
                            Name{"mail", CsvColumn::recipient},
                            Name{"address", CsvColumn::recipient},
                            Name{"customer", CsvColumn::customer},
                            Name{"reason", CsvColumn::reason},
                            Name{"until", CsvColumn::until},
                            Name{"note", CsvColumn::note},
                            Name{"state", CsvColumn::state}};

struct Called {
  std::string_view name;
  SuppressionReason reason;
};
constexpr std::array kReasons{Called{"hardbounce", SuppressionReason::hard_bounce},
                              Called{"bounce", SuppressionReason::hard_bounce},
                              Called{"bounced", SuppressionReason::hard_bounce},
                              Called{"complaint", SuppressionReason::complaint},
                              Called{"complained", SuppressionReason::complaint},
                              Called{"spam", SuppressionReason::complaint},
                              Called{"spamreport", SuppressionReason::complaint},
                              Called{"spamcomplaint", SuppressionReason::complaint},
                              Called{"abuse", SuppressionReason::complaint},
                              Called{"unsubscribe", SuppressionReason::unsubscribe},
                              Called{"unsubscribed", SuppressionReason::unsubscribe},
                              Called{"optout", SuppressionReason::unsubscribe},
                              Called{"byhand", SuppressionReason::by_hand},
                              Called{"manual", SuppressionReason::by_hand},
                              Called{"imported", SuppressionReason::imported}};

constexpr std::string_view kUsual = "usual";

std::string folded(std::string_view name) {
  std::string out = lower_ascii(trim(name));
  std::erase_if(out, [](char c) { return c == ' ' || c == '-' || c == '_'; });
  return out;
}

const Name* name_from(std::string_view text) {
  const auto found = std::ranges::find(kNames, folded(text), &Name::name);
  return found == kNames.end() ? nullptr : &*found;
}

}  // namespace

CsvColumns usual_columns() {
  using enum CsvColumn;
  return {.columns = {recipient, customer, reason, until, note}};
}

std::optional<CsvColumns> columns_named(std::span<const std::string> fields) {
  CsvColumns made{.named = true};
  const Name* clearest = nullptr;
  size_t recipient = 0;
  for (const std::string& field : fields) {
    const Name* const name = name_from(field);
    // The first of a name counts.
    const bool again =
        name != nullptr && std::ranges::find(made.columns, name->column) != made.columns.end();
    made.columns.push_back(name == nullptr || again ? CsvColumn::unused : name->column);
    if (name == nullptr || name->column != CsvColumn::recipient) continue;
    made.columns.back() = CsvColumn::unused;
    if (clearest == nullptr || name < clearest) {
      clearest = name;
      recipient = made.columns.size() - 1;
    }
  }
  if (clearest == nullptr) return std::nullopt;
  made.columns[recipient] = CsvColumn::recipient;
  return made;
}

std::string text_of(const CsvColumns& columns) {
  if (columns.columns.empty()) return {};
  if (!columns.named) return std::string(kUsual);
  std::string out;
  for (const CsvColumn& column : columns.columns) {
    if (&column != columns.columns.data()) out += ',';
    if (column == CsvColumn::unused) continue;
    out += std::ranges::find(kNames, column, &Name::column)->name;
  }
  return out;
}

Result<CsvColumns> columns_from(std::string_view text) {
  if (text == kUsual) return usual_columns();
  std::vector<std::string> fields;
  for (const std::string_view field : split(text, ',')) fields.emplace_back(field);
  auto named = columns_named(fields);
  if (named) return std::move(*named);
  return fail(Code::bad_input, fmt::format("`{}` names no recipient", escaped(text, 100)),
              "columns");
}

std::optional<SuppressionReason> reason_called(std::string_view name) {
  const auto found = std::ranges::find(kReasons, folded(name), &Called::name);
  if (found == kReasons.end()) return std::nullopt;
  return found->reason;
}

}  // namespace watchpost::suppress
