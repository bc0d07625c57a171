#include "detect/plan_terms.h"

#include "base/result.h"
#include "expr/event_schema.h"

#include <algorithm>
#include <array>

namespace watchpost::detect {
namespace {

constexpr std::array<EventKind, 3> kAttempts{EventKind::delivered, EventKind::deferred,
                                             EventKind::bounced};

bool counts(const expr::CountTerm& term, std::initializer_list<EventKind> kinds) {
  return std::ranges::any_of(kinds, [&](EventKind kind) {
    return term.count != expr::attempted_count() &&
           expr::event_schema().counts[term.count] == name_of(kind);
  });
}

}  // namespace

std::vector<EventKind> kinds_of(size_t count) {
  if (count == expr::attempted_count()) return {kAttempts.begin(), kAttempts.end()};
  const auto kind = event_kind_from(expr::event_schema().counts[count]);
  WP_CHECK(kind.has_value());
  return {*kind};
}

bool is_tries(const expr::CountTerm& term) {
  return term.count == expr::attempted_count() ||
         counts(term, {EventKind::accepted, EventKind::delivered});
}

LagKind waits_for(const expr::CountCondition& condition) {
  const auto one_of = [&](std::initializer_list<EventKind> kinds) {
    return std::ranges::any_of(condition.terms(),
                               [&](const expr::CountTerm& term) { return counts(term, kinds); });
  };
  const bool bounces = one_of({EventKind::bounced, EventKind::expired, EventKind::deferred});
  const bool complaints =
      one_of({EventKind::complained, EventKind::unsubscribed, EventKind::reported});
  return bounces && !complaints ? LagKind::bounces : LagKind::complaints;
}

bool has_column(const expr::CountTerm& term) {
  switch (term.kind) {
    case expr::TermKind::count: return !term.where.empty();
    case expr::TermKind::fresh:
    case expr::TermKind::in_order: return true;
    case expr::TermKind::distinct:
    case expr::TermKind::usual:
    case expr::TermKind::spread:
    case expr::TermKind::climb: return false;
  }
  return false;
}

std::string count_text(const expr::CountTerm& term) {
  std::string text(expr::event_schema().counts[term.count]);
  if (!term.where.empty()) text.append("(").append(term.where.front().text()).append(")");
  return text;
}

}  // namespace watchpost::detect
