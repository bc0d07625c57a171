#include "base/ascii.h"
#include "base/text.h"
#include "border/filter_schema.h"
#include "border/settings.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

namespace watchpost::border {
namespace {

constexpr size_t kLongestFilterName = 60;
constexpr size_t kLongestWhy = 200;

// Names become words of header fields and labels of metrics.
Result<Done> check_name(std::string_view name) {
  const auto is_plain = [](char c) {
    return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'z') || c == ' ' || c == '.' ||
           c == '-' || c == '_';
  };
  if (!name.empty() && name.size() <= kLongestFilterName && std::ranges::all_of(name, is_plain)) {
    return Done{};
  }
  return fail(
      Code::bad_input,
      fmt::format("must be 1 to {} letters, digits, blanks, dots, - and _", kLongestFilterName),
      "name");
}

Result<Time> until_from(const std::string& text) {
  if (text.empty()) return Time::max();
  if (const auto at = parse_time(text)) return *at;
  if (const auto day = parse_time(text + "T00:00:00Z")) return *day;
  return fail(
      Code::bad_input,
      fmt::format("`{}` is neither a day nor a time, for example 2026-12-31", escaped(text, 40)),
      "until");
}

std::unexpected<Error> wrong(Error error, std::string_view setting) {
  error.about =
      error.about.empty() ? std::string(setting) : fmt::format("{}, {}", setting, error.about);
  return fail(std::move(error));
}

}  // namespace

Result<Filter> make_filter(const FilterSettings& settings) {
  if (const auto fine = check_name(settings.name); !fine) return fail(fine.error());
  auto when = expr::RowCondition::parse(settings.when, message_schema());
  if (!when) return wrong(when.error(), "when");
  const auto then = disposition_from(settings.then);
  if (!then) return wrong(then.error(), "then");
  const auto mode = mode_from(settings.mode);
  if (!mode) return wrong(mode.error(), "mode");
  const auto until = until_from(settings.until);
  if (!until) return fail(until.error());
  if (settings.why.size() > kLongestWhy) {
    return fail(Code::bad_input, fmt::format("has more than {} bytes", kLongestWhy), "why");
  }
  const bool by_recipient = std::ranges::any_of(when->fields(), is_recipient);
  return Filter{.name = settings.name,
                .when = std::move(*when),
                .then = *then,
                .mode = *mode,
                .owner = settings.owner,
                .until = *until,
                .why = settings.why,
                .certain = settings.certain,
                .by_recipient = by_recipient};
}

}  // namespace watchpost::border
