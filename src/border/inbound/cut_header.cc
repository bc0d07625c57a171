#include "border/inbound/cut_header.h"

#include "auth/results/hidden_field.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace watchpost::border {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kEndOfHeader = "\r\n\r\n";
constexpr size_t kMostLines = 30;

bool says_for_whom(const mime::Header& header) {
  static constexpr std::array<std::string_view, 3> kFields{"To", "Cc", "Subject"};
  return std::ranges::any_of(kFields,
                             [&](std::string_view name) { return header.count(name) > 0; });
}

}  // namespace

bool header_goes_on_in_body(std::string_view message, const mime::Header& header) {
  if (says_for_whom(header)) return false;
  const size_t end = message.find(kEndOfHeader);
  if (end == std::string_view::npos) return false;
  std::string_view body = message.substr(end + kEndOfHeader.size());
  for (size_t lines = 0; lines < kMostLines && !body.empty(); ++lines) {
    const size_t line_end = std::min(body.find(kLineEnd), body.size());
    const std::string_view line = body.substr(0, line_end);
    if (line.empty()) return false;
    if (auth::is_field_line(line, "from")) return true;
    body.remove_prefix(std::min(line_end + kLineEnd.size(), body.size()));
  }
  return false;
}

}  // namespace watchpost::border
