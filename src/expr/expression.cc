#include "expr/expression.h"

#include "expr/checker.h"
#include "expr/evaluation.h"
#include "expr/explanation.h"
#include "expr/needs.h"

#include <set>
#include <utility>

namespace watchpost::expr {

std::string_view name_of(Type type) {
  switch (type) {
    case Type::boolean: return "boolean";
    case Type::number: return "number";
    case Type::text: return "text";
  }
  return "";
}

RowCondition::RowCondition(std::shared_ptr<const Program> program) : program_(std::move(program)) {}

Result<RowCondition> RowCondition::parse(std::string_view text, const Schema& schema) {
  auto program = compile(text, schema, Subject::row);
  if (!program) return fail(program.error());
  return RowCondition(std::move(*program));
}

Truth RowCondition::evaluate(const Row& row) const {
  return Evaluation(*program_, row).truth(program_->root);
}

std::vector<std::string> RowCondition::explain(const Row& row) const {
  return explanation(*program_, row);
}

const std::string& RowCondition::text() const { return program_->text; }

std::vector<size_t> RowCondition::fields() const {
  std::set<size_t> fields;
  for (const Node& node : program_->nodes) {
    const bool reads = node.op == Op::text_field || node.op == Op::number_field ||
                       node.op == Op::is_true || node.op == Op::known;
    if (reads) fields.insert(node.index);
  }
  return {fields.begin(), fields.end()};
}

CountCondition::CountCondition(std::shared_ptr<const Program> program)
    : program_(std::move(program)) {}

Result<CountCondition> CountCondition::parse(std::string_view text, const Schema& schema) {
  auto program = compile(text, schema, Subject::counts);
  if (!program) return fail(program.error());
  return CountCondition(std::move(*program));
}

std::span<const CountTerm> CountCondition::terms() const { return program_->terms; }

Judgement CountCondition::evaluate(std::span<const double> values, double error_rate) const {
  const Evaluation evaluation(*program_, values, error_rate);
  const Node& first = (*program_)[program_->first_comparison];
  return {.truth = evaluation.truth(program_->root),
          .value = evaluation.number(first.left),
          .threshold = first.op == Op::climbs ? evaluation.evidence_needed(first)
                                              : evaluation.number(first.right)};
}

bool CountCondition::holds(std::span<const double> values, double error_rate) const {
  return Evaluation(*program_, values, error_rate).truth(program_->root) == Truth::yes;
}

std::vector<Need> CountCondition::needs(double error_rate) const {
  return needs_of(*program_, error_rate);
}

std::vector<std::string> CountCondition::explain(std::span<const double> values,
                                                 double error_rate) const {
  return explanation(*program_, values, error_rate);
}

const std::string& CountCondition::text() const { return program_->text; }

}  // namespace watchpost::expr
