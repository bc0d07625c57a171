#include "feedback/formats/powermta_layout.h"

#include "base/ascii.h"
#include "feedback/formats/powermta_text.h"

#include <algorithm>

namespace watchpost::feedback {
namespace {

using Column = PowermtaColumn;

// In the order of the enum.
constexpr std::array<std::string_view, kPowermtaColumns> kColumns{"type",
                                                                  "timeLogged",
                                                                  "timeQueued",
                                                                  "totalSecondsQueued",
                                                                  "orig",
                                                                  "rcpt",
                                                                  "header_X-HmXmrOriginalRecipient",
                                                                  "orcpt",
                                                                  "dsnAction",
                                                                  "dsnStatus",
                                                                  "dsnDiag",
                                                                  "dsnMta",
                                                                  "bounceCat",
                                                                  "srcMta",
                                                                  "rcvSourceIp",
                                                                  "dlvSourceIp",
                                                                  "dlvDestinationIp",
                                                                  "dlvSize",
                                                                  "vmta",
                                                                  "queue",
                                                                  "header_Message-Id",
                                                                  "feedbackType"};

size_t place_of(std::span<const std::string_view> names, std::string_view name) {
  const auto found = std::ranges::find_if(
      names, [&](std::string_view other) { return equal_nocase(other, name); });
  return found == names.end() ? PowermtaLayout::kNowhere
                              : static_cast<size_t>(found - names.begin());
}

std::vector<size_t> places_of(std::span<const std::string_view> names,
                              const std::vector<std::string>& wanted) {
  std::vector<size_t> places;
  for (const std::string& name : wanted) {
    const size_t at = place_of(names, name);
    if (at != PowermtaLayout::kNowhere) places.push_back(at);
  }
  return places;
}

}  // namespace

bool PowermtaLayout::is_header(std::string_view first) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (first.starts_with(kByteOrderMark)) first.remove_prefix(kByteOrderMark.size());
  while (first.starts_with('#') || first.starts_with(' ')) first.remove_prefix(1);
  return equal_nocase(first, kColumns[static_cast<size_t>(Column::type)]);
}

std::optional<PowermtaLayout> PowermtaLayout::from(std::span<const std::string_view> names,
                                                   const PowermtaColumns& wanted) {
  if (names.size() < 2 || names.size() > kMostColumns) return std::nullopt;
  PowermtaLayout layout{.count = names.size()};
  for (size_t i = 0; i < kColumns.size(); ++i) layout.at[i] = place_of(names, kColumns[i]);
  layout.at[static_cast<size_t>(Column::type)] = 0;
  if (layout.at[static_cast<size_t>(Column::time_logged)] == kNowhere) return std::nullopt;
  layout.customer = places_of(names, wanted.customer);
  layout.campaign = places_of(names, wanted.campaign);
  layout.credential = places_of(names, wanted.credential);
  return layout;
}

void fields(SettingsVisitor& visit, PowermtaColumns& columns) {
  visit.setting({.name = "customer",
                 .help = "Columns that say whose mail it is; the first that has a value counts. "
                         "Without regard to case."},
                &columns.customer);
  visit.setting({.name = "campaign", .help = "Columns that say which mailing it belongs to."},
                &columns.campaign);
  visit.setting({.name = "credential", .help = "Columns that say which login sent it."},
                &columns.credential);
}

}  // namespace watchpost::feedback
