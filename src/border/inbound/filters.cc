#include "border/inbound/filters.h"

#include "border/filter_schema.h"

#include <algorithm>

#include <fmt/format.h>

namespace watchpost::border {
namespace {

bool rests_on_reputation(const Filter& filter) {
  return std::ranges::any_of(filter.when.fields(), is_reputation);
}

Reason reason_of(const Filter& filter) {
  return {.said = {.rule = fmt::format("filter {}", filter.name),
                   .wants = filter.then,
                   .in_force = filter.mode == Mode::enforce,
                   .words = filter.why.empty() ? filter.when.text() : filter.why},
          .source = Source::filter,
          .evidence = !rests_on_reputation(filter),
          .announced = filter.mode == Mode::notify};
}

}  // namespace

std::vector<Reason> filter_reasons(const Facts& facts, std::span<const Filter> filters, Time now) {
  std::vector<Reason> reasons;
  if (filters.empty()) return reasons;
  const MessageRow row(facts);
  for (const Filter& filter : filters) {
    if (filter.mode == Mode::off || now >= filter.until) continue;
    if (filter.when.evaluate(row) == expr::Truth::yes) reasons.push_back(reason_of(filter));
  }
  return reasons;
}

std::string_view filter_mode_of(const Reason& reason) {
  if (reason.announced) return name_of(Mode::notify);
  return name_of(reason.said.in_force ? Mode::enforce : Mode::shadow);
}

}  // namespace watchpost::border
