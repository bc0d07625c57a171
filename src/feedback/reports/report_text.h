#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::feedback {

// Small readings of text that the readers of returned mail share. All are pure and total.

// Bounds of what is kept of one report.
inline constexpr size_t kMostReportText = 2'000;      // bytes of a diagnostic
inline constexpr size_t kMostReportRecipients = 500;  // of one report

// Valid UTF-8 on one line: controls and runs of blanks are one blank, blanks at both ends gone, cut
// at `most` bytes. Bytes that are no UTF-8 are read as windows-1252, and ISO-2022-JP, which reports
// have without saying so, as what it is.
std::string one_line(std::string_view text, size_t most = kMostReportText);

// An address that stands in running text, "kim@example.com"; views into the line.
struct AddressInText {
  std::string_view text;
  size_t begin = 0;  // in the line, with an opening bracket or quote that belongs to it
  size_t end = 0;
};
// All of a line, in order; at most 50.
std::vector<AddressInText> addresses_in(std::string_view line);
std::vector<AddressInText> addresses_in(std::string&&) = delete;  // views of what is gone

// What is left of an address field of a report: "rfc822; <kim@example.com> (Kim)" is
// "kim@example.com"; an X.400 address gives the mailbox it names, where it names one. \x{NN} of
// RFC 6533 section 3 is undone.
std::string report_address(std::string_view value);
// It has a local part and a domain; others are X.400's, or the name of a mailbox alone.
bool is_address(std::string_view text);

// Text in HTML as a person sees it: no tags, no styles, entities undone, a line for each block.
// Only the first 256 kB are read.
std::string text_of_html(std::string_view html);

}  // namespace watchpost::feedback
