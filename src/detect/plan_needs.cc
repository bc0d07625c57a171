#include "detect/plan_needs.h"

#include "expr/needs.h"

#include <algorithm>
#include <array>

namespace watchpost::detect {
namespace {

// The columns of the terms one after the other; false where there are too many, or other terms.
bool sum_up(const std::vector<size_t>& wanted, const std::vector<TermPlace>& terms,
            std::array<uint8_t, NeedPlace::kMost>& columns, uint8_t& size) {
  for (const size_t term : wanted) {
    const TermPlace& place = terms[term];
    if (place.size == 0 || size + place.size > columns.size()) return false;
    std::copy_n(place.column.begin(), place.size, columns.begin() + size);
    size = static_cast<uint8_t>(size + place.size);
  }
  return true;
}

void place_needs(const expr::CountCondition& condition, const std::vector<TermPlace>& terms,
                 double error_rate, std::vector<NeedPlace>& places) {
  for (const expr::Need& need : condition.needs(error_rate)) {
    NeedPlace place{.least = need.least};
    const bool by_columns = sum_up(need.terms, terms, place.column, place.size);
    if (!by_columns) {
      if (need.terms.size() != 1 || !need.among.empty()) continue;
      place.size = 0;
      place.term = terms[need.terms.front()];
    } else if (!sum_up(need.among, terms, place.among, place.among_size)) {
      place.among_size = 0;
      place.term = terms[need.among.front()];
      place.of_usual = need.among.size() == 1 && place.term.kind == expr::TermKind::usual;
      if (!place.of_usual) continue;
    }
    places.push_back(place);
  }
}

int cost_of(const NeedPlace& need) {
  if (need.size != 0 && !need.of_usual) return need.among_size == 0 ? 0 : 1;
  return need.term.kind == expr::TermKind::climb ? 2 : 3;
}

}  // namespace

std::vector<NeedPlace> needs_of(const Detector& detector, const Rule& rule) {
  std::vector<NeedPlace> needs;
  place_needs(detector.when, rule.when, detector.error_rate, needs);
  for (const auto& guard : detector.guard) {
    place_needs(guard, rule.guard, detector.error_rate, needs);
  }
  std::ranges::stable_sort(needs, {}, cost_of);
  return needs;
}

// A share may grow as what went well leaves the window, and what is usual changes with the hour.
std::optional<NeedPlace> threshold_of(const std::vector<NeedPlace>& needs) {
  const auto found = std::ranges::find_if(needs, [](const NeedPlace& need) {
    if (need.size == 0) return need.term.kind == expr::TermKind::climb;
    return need.among_size == 0 && !need.of_usual;
  });
  return found == needs.end() ? std::nullopt : std::optional(*found);
}

}  // namespace watchpost::detect
