// The part of the checker that knows counts.
#include "base/text.h"
#include "expr/checker.h"
#include "expr/evaluation.h"
#include "expr/render.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace watchpost::expr {
namespace {

constexpr size_t kMostTerms = 32;        // of one condition, with those inside its terms
constexpr double kSmallestShare = 1e-9;  // that `climbs` knows

// What may be asked of a count, by the word in front of its parentheses. Only there are they words
// of the language.
struct Function {
  std::string_view name;
  TermKind kind;
  bool has_field;
  std::string_view usage;
};
constexpr std::array<Function, 4> kFunctions{{
    {"distinct", TermKind::distinct, true,
     "a count and a field, as in `distinct(login, client_network)`"},
    {"new", TermKind::fresh, true, "a count and a field, as in `new(accepted, recipient)`"},
    {"in_order", TermKind::in_order, true,
     "a count and a field, as in `in_order(accepted, recipient)`"},
    {"usual", TermKind::usual, false, "a count, as in `usual(accepted)`"},
}};

const Function* function_of(const Token& token) {
  const auto found = std::ranges::find(kFunctions, token.text, &Function::name);
  return found == kFunctions.end() ? nullptr : &*found;
}

// The candidates for a word that stands where a count may stand.
std::string meant_count(std::string_view word, std::span<const std::string_view> counts) {
  std::vector<std::string_view> names(counts.begin(), counts.end());
  for (const Function& function : kFunctions) names.push_back(function.name);
  return suggestion(word, names);
}

template <class List, class Name>
bool holds(const List& list, const Name& name) {
  return std::ranges::find(list, name) != list.end();
}

bool is_field(const Schema& schema, std::string_view name) {
  return std::ranges::find(schema.fields, name, &FieldName::name) != schema.fields.end();
}

}  // namespace

Result<Checker::Checked> Checker::word(const Syntax& syntax) {
  if (subject_ == Subject::counts) return count(syntax);
  if (syntax.kind == SyntaxKind::word) return field(syntax);
  if (function_of(syntax.token) != nullptr && !is_field(program_.schema, syntax.token.text)) {
    return wrong(syntax, fmt::format("`{}` is asked of many events, and this is a condition on one",
                                     syntax.token.text));
  }
  return wrong(syntax, fmt::format("`{}` takes no condition in parentheses", syntax.token.text));
}

Result<Checker::Checked> Checker::count(const Syntax& syntax) {
  const bool is_count = holds(program_.schema.counts, syntax.token.text);
  auto asked =
      function_of(syntax.token) != nullptr && !is_count ? function(syntax) : plain_count(syntax);
  if (!asked) return fail(asked.error());
  return term(std::move(*asked), syntax);
}

Result<CountTerm> Checker::function(const Syntax& syntax) {
  const Function& asked = *function_of(syntax.token);
  const std::string needed = fmt::format("`{}` needs {}", asked.name, asked.usage);
  const auto& parts = syntax.parts;
  if (parts.size() != (asked.has_field ? 2 : 1)) {
    return wrong(parts.size() > 2 ? parts[2] : syntax, needed);
  }
  const Syntax& counted = parts[0];
  const bool is_named = counted.kind == SyntaxKind::word || counted.kind == SyntaxKind::call;
  if (!is_named || function_of(counted.token) != nullptr ||
      (counted.kind == SyntaxKind::word && is_field(program_.schema, counted.token.text))) {
    return wrong(counted, needed);
  }
  auto term = plain_count(counted);
  if (!term) return term;
  term->kind = asked.kind;
  if (!asked.has_field) {
    term->text = fmt::format("{}({})", asked.name, term->text);
    return term;
  }
  const auto field = text_field(parts[1], asked.name);
  if (!field) return fail(field.error());
  term->field = *field;
  term->text =
      fmt::format("{}({}, {})", asked.name, term->text, program_.schema.fields[*field].name);
  return term;
}

Result<size_t> Checker::text_field(const Syntax& syntax, std::string_view asked_by) {
  if (syntax.kind != SyntaxKind::word) {
    return wrong(syntax,
                 fmt::format("the second that `{}` needs is the name of a field", asked_by));
  }
  std::vector<std::string_view> texts;
  for (const FieldName& field : program_.schema.fields) {
    if (field.type == Type::text && field.words.empty()) texts.push_back(field.name);
  }
  const std::string_view name = syntax.token.text;
  const auto found = std::ranges::find(program_.schema.fields, name, &FieldName::name);
  if (found == program_.schema.fields.end()) {
    return wrong(syntax, fmt::format("`{}` is not a field{}", name, suggestion(name, texts)));
  }
  if (found->type != Type::text) {
    return wrong(syntax, fmt::format("`{}` needs a field that is a text, and `{}` is a {}",
                                     asked_by, name, expr::name_of(found->type)));
  }
  if (!found->words.empty()) {
    return wrong(syntax, fmt::format("`{}` needs a field that may hold any text, and `{}` has a "
                                     "closed set of words: count them one by one",
                                     asked_by, name));
  }
  return static_cast<size_t>(found - program_.schema.fields.begin());
}

Result<CountTerm> Checker::plain_count(const Syntax& syntax) {
  const std::string_view name = syntax.token.text;
  const auto counts = program_.schema.counts;
  const auto found = std::ranges::find(counts, name);
  if (found == counts.end()) {
    if (is_field(program_.schema, name)) {
      return wrong(syntax,
                   fmt::format("`{0}` is a field of single events; ask for it inside a count, "
                               "as in `{1}({0} ...)`",
                               name, counts.empty() ? "count" : counts.front()));
    }
    if (const Function* meant = function_of(syntax.token)) {
      return wrong(syntax, fmt::format("`{}` needs {}", name, meant->usage));
    }
    return wrong(syntax, fmt::format("`{}` is not a count{}", name, meant_count(name, counts)));
  }
  CountTerm term{
      .count = static_cast<size_t>(found - counts.begin()), .where = {}, .text = std::string(name)};
  if (syntax.kind == SyntaxKind::word) return term;
  if (syntax.parts.size() > 1) {
    return wrong(syntax.parts[1],
                 fmt::format("`{}` takes one condition; join two with `and`", name));
  }
  auto inner = Checker(text_, program_.schema, Subject::row).run(syntax.parts[0]);
  if (!inner) return fail(inner.error());
  term.where.push_back(RowCondition(*inner));
  term.text += fmt::format("({})", (*inner)->text);
  return term;
}

Result<Checker::Checked> Checker::term(CountTerm term, const Syntax& syntax) {
  const auto same = std::ranges::find(program_.terms, term.text, &CountTerm::text);
  const auto index = static_cast<uint16_t>(same - program_.terms.begin());
  if (same == program_.terms.end()) {
    const auto patterns_of = [](const CountTerm& one) {
      return one.where.empty() ? 0 : one.where[0].program_->pattern_count;
    };
    // The spread is found with what is usual, and costs nothing beside it.
    if (term.kind != TermKind::spread) program_.pattern_count += patterns_of(term);
    for (const auto* parts : {&term.bad, &term.tries}) {
      for (const CountTerm& part : *parts) program_.pattern_count += patterns_of(part);
    }
    if (program_.pattern_count > kMostPatterns) {
      return wrong(syntax, fmt::format("a condition has at most {} patterns", kMostPatterns));
    }
    program_.term_count += 1 + term.bad.size() + term.tries.size();
    if (program_.term_count > kMostTerms) {
      return wrong(syntax, fmt::format("a condition has at most {} different counts", kMostTerms));
    }
    program_.terms.push_back(std::move(term));
  }
  return Checked{.type = Type::number,
                 .node = add({.op = Op::term, .index = index}),
                 .quantity = Quantity::count};
}

Result<Done> Checker::sum_of_plain_counts(const Syntax& syntax, std::vector<CountTerm>& found) {
  if (syntax.kind == SyntaxKind::add) {
    const auto left = sum_of_plain_counts(syntax.parts[0], found);
    return left ? sum_of_plain_counts(syntax.parts[1], found) : left;
  }
  const bool is_named = syntax.kind == SyntaxKind::word || syntax.kind == SyntaxKind::call;
  if (!is_named || function_of(syntax.token) != nullptr) {
    return wrong(syntax,
                 "`climbs` looks at single events: only counts, or sums of counts, stand "
                 "on each side of its `/`");
  }
  auto term = plain_count(syntax);
  if (!term) return fail(term.error());
  const auto same = std::ranges::find(found, term->text, &CountTerm::text);
  if (same == found.end()) found.push_back(std::move(*term));
  return Done{};
}

Result<Checker::Checked> Checker::climbs(const Syntax& syntax) {
  const Syntax& share = syntax.parts[0];
  if (subject_ != Subject::counts || share.kind != SyntaxKind::divide) {
    return wrong(share,
                 "the left side of `climbs` must be a share: a sum of counts divided by another, "
                 "as in `bounced / attempted`");
  }
  CountTerm climb{.kind = TermKind::climb};
  const auto bad = sum_of_plain_counts(share.parts[0], climb.bad);
  if (!bad) return fail(bad.error());
  const auto tries = sum_of_plain_counts(share.parts[1], climb.tries);
  if (!tries) return fail(tries.error());
  for (const auto& [place, value] : {std::pair{1, &climb.from}, std::pair{2, &climb.to}}) {
    const Syntax& part = syntax.parts[static_cast<size_t>(place)];
    const auto given = constant(part, "a share that `climbs` tells apart");
    if (!given) return given;
    *value = Evaluation(program_, {}, 0).number(given->node);
    if (!(*value >= kSmallestShare && *value < 1)) {
      return wrong(part, "a share that `climbs` tells apart must be between 1e-9 and 1 (100%)");
    }
  }
  if (climb.to <= climb.from) {
    return wrong(syntax.parts[2], "the share after `to` must be above the one after `from`");
  }
  climb.text = climb_text(climb, "climbs");
  const auto evidence = term(std::move(climb), syntax);
  if (!evidence) return evidence;
  const auto rate = error_rate(syntax, 3);
  if (!rate) return fail(rate.error());
  return condition({.op = Op::climbs, .left = evidence->node, .index = *rate});
}

}  // namespace watchpost::expr
