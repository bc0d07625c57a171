#include "ingest/postmark.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace watchpost::ingest {
namespace {

constexpr size_t kLongestPostmark = 1024;
constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::optional<unsigned> number(std::string_view word) {
  unsigned value = 0;
  const auto [rest, fault] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (fault != std::errc() || rest != word.data() + word.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<Time> postmark_time(std::string_view line) {
  const auto parts = words(line.substr(0, kLongestPostmark));
  for (size_t i = 0; i + 3 < parts.size(); ++i) {
    const auto month = std::ranges::find(kMonths, parts[i]);
    const auto day = number(parts[i + 1]);
    if (month == kMonths.end() || !day || *day > 31) continue;
    // A zone may stand before the year.
    for (size_t k = i + 3; k < std::min(parts.size(), i + 5); ++k) {
      const auto year = number(parts[k]);
      if (!year || *year < 1970 || *year > 9999) continue;
      const std::string_view clock = parts[i + 2];
      const auto at =
          parse_time(fmt::format("{:04}-{:02}-{:02}T{}{}Z", *year, month - kMonths.begin() + 1,
                                 *day, clock.substr(0, 8), clock.size() == 5 ? ":00" : ""));
      if (at) return at;
    }
  }
  return std::nullopt;
}

}  // namespace watchpost::ingest
