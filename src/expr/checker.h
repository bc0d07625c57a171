#pragma once
#include "expr/program.h"
#include "expr/syntax.h"

#include <memory>
#include <string_view>

namespace watchpost::expr {

inline constexpr size_t kMostPatterns = 8;  // of one condition, those inside its counts included

// What the words of a condition stand for.
enum class Subject : uint8_t { row, counts };

// Reads, checks and compiles a condition. Errors: bad_input at a column.
Result<std::shared_ptr<const Program>> compile(std::string_view text, const Schema& schema,
                                               Subject subject);

// The part of compile() behind the parser.
class Checker {
 public:
  // `text` is the whole condition, for the columns of errors.
  Checker(std::string_view text, const Schema& schema, Subject subject);
  Result<std::shared_ptr<const Program>> run(const Syntax& whole);

 private:
  struct Checked {
    Type type;
    NodeIndex node;
    Quantity quantity = Quantity::number;
    const FieldName* field = nullptr;  // where it is a field and nothing else
  };

  Result<Checked> check(const Syntax& syntax);
  Result<Checked> check_as(Type type, const Syntax& syntax, std::string_view where);
  Result<Checked> literal(const Syntax& syntax);
  Result<Checked> word(const Syntax& syntax);
  Result<Checked> field(const Syntax& syntax);
  Result<Checked> count(const Syntax& syntax);
  Result<CountTerm> function(const Syntax& syntax);
  Result<CountTerm> plain_count(const Syntax& syntax);
  Result<Done> sum_of_plain_counts(const Syntax& syntax, std::vector<CountTerm>& found);
  Result<size_t> text_field(const Syntax& syntax, std::string_view asked_by);
  // The node of a term; equal terms are one.
  Result<Checked> term(CountTerm term, const Syntax& syntax);
  Result<Checked> logic(const Syntax& syntax, Op op);
  Result<Checked> negation(const Syntax& syntax);
  Result<Checked> arithmetic(const Syntax& syntax, Op op);
  Result<Checked> negate(const Syntax& syntax);
  Result<Checked> compare(const Syntax& syntax);
  Result<Checked> in(const Syntax& syntax);
  Result<Checked> search(const Syntax& syntax, Op op);
  Result<Checked> matches(const Syntax& syntax);
  Result<Checked> known(const Syntax& syntax);
  Result<Checked> exceeds(const Syntax& syntax);
  Result<Checked> climbs(const Syntax& syntax);

  // The right side of a comparison with `left`: a word may stand bare where `left` has a closed
  // set.
  Result<Checked> against(const Checked& left, const Syntax& syntax);
  Result<Done> one_of(const FieldName& field, std::string_view word, const Syntax& syntax) const;
  Result<Quantity> agree(const Checked& left, const Checked& right, const Syntax& syntax) const;
  Result<Checked> constant(const Syntax& syntax, std::string_view what);
  Result<Checked> constant(const Checked& checked, const Syntax& syntax, std::string_view what);
  // What `exceeds` tests: a share, or how many are expected.
  Result<Checked> limit(const Syntax& syntax, bool is_share);
  Result<Checked> usual_limit(const Checked& mean, const Syntax& syntax);
  // `parts[place]` is the error rate behind `at`, where it stands; else kNoNode.
  Result<NodeIndex> error_rate(const Syntax& syntax, size_t place);
  // A sum of counts, or what is left of one where others are taken off.
  bool is_count(NodeIndex node) const;
  bool is_sum_of_counts(NodeIndex node) const;
  bool is_constant(NodeIndex node) const;
  void collect_terms(NodeIndex node, std::vector<uint16_t>& found) const;

  NodeIndex add(Node node);
  NodeIndex add_text(std::string_view text);
  Checked condition(Node node);  // adds a comparison
  std::unexpected<Error> wrong(const Syntax& syntax, std::string what) const;

  std::string_view text_;
  Subject subject_;
  Program program_;
};

}  // namespace watchpost::expr
