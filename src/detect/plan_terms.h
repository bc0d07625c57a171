#pragma once
#include "detect/lag_curves.h"
#include "expr/expression.h"
#include "model/event.h"

#include <initializer_list>
#include <string>
#include <vector>

namespace watchpost::detect {

// What the terms of conditions speak of.

// The kinds of event that a count of the schema counts.
std::vector<EventKind> kinds_of(size_t count);
// Mail itself, not what became of it.
bool is_tries(const expr::CountTerm& term);
// Which late events a condition of cohorts waits for.
LagKind waits_for(const expr::CountCondition& condition);
// The term has a column of its own, known by its text.
bool has_column(const expr::CountTerm& term);
// The plain count that a term speaks of, as one would write it.
std::string count_text(const expr::CountTerm& term);

}  // namespace watchpost::detect
