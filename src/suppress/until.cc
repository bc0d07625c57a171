#include "suppress/until.h"

#include "base/text.h"

#include <string>

#include <fmt/format.h>

namespace watchpost::suppress {
namespace {

constexpr Duration kFarthest = std::chrono::days(36'525);

std::optional<Time> read(std::string_view text, Time now) {
  if (const auto at = parse_time(text)) return at;
  if (text.size() == 10) return parse_time(std::string(text) + "T00:00:00Z");
  const auto span = parse_duration(text);
  if (!span) return std::nullopt;
  return now + *span;
}

}  // namespace

Result<std::optional<Time>> until_from(std::string_view text, Time now) {
  if (text.empty()) return std::nullopt;
  const auto until = read(text, now);
  const auto refuse = [&](std::string_view what) -> std::unexpected<Error> {
    return fail(Code::bad_input, fmt::format("`{}` {}", escaped(text, 40), what));
  };
  if (!until) return refuse("is neither a time, a date nor a span");
  if (*until <= now) return refuse("is in the past");
  if (*until > now + kFarthest) return refuse("is more than 100 years away; leave it out");
  return until;
}

}  // namespace watchpost::suppress
