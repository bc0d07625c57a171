#include "base/text.h"
#include "expr/syntax.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace watchpost::expr {
namespace {

constexpr size_t kDeepest = 32;      // parentheses and prefixes inside each other
constexpr size_t kMostParts = 1000;  // of the whole tree
constexpr size_t kLongestList = 256;

struct WordOperator {
  std::string_view name;
  SyntaxKind kind;
};
constexpr std::array<WordOperator, 5> kWordOperators{{
    {"in", SyntaxKind::in},
    {"matches", SyntaxKind::matches},
    {"contains", SyntaxKind::contains},
    {"starts_with", SyntaxKind::starts_with},
    {"ends_with", SyntaxKind::ends_with},
}};
constexpr std::array<std::string_view, 10> kReserved{
    "and", "or", "not", "in", "matches", "contains", "starts_with", "ends_with", "exceeds", "is"};
// Words that the language knows only where they can stand; names may be spelled like them.
constexpr std::string_view kClimbs = "climbs";
constexpr std::array<std::string_view, 6> kRelations{"==", "!=", "<=", ">=", "<", ">"};

template <class List>
bool stands_in(const List& list, std::string_view text) {
  return std::ranges::find(list, text) != std::ranges::end(list);
}

std::string meant_operator(std::string_view word) {
  std::vector<std::string_view> operators(kReserved.begin(), kReserved.end());
  operators.push_back(kClimbs);
  return suggestion(word, operators);
}

std::string shown(const Token& token) {
  if (token.kind == TokenKind::end) return "the end";
  if (token.kind == TokenKind::text) return "a text";
  return fmt::format("`{}`", escaped(token.text, 40));
}

// Recursive descent, one function for each level of binding; docs/reference/expressions.md has the
// grammar.
class Parser {
 public:
  Parser(std::string_view text, std::vector<Token> tokens)
      : text_(text), tokens_(std::move(tokens)) {}

  Result<Syntax> run() {
    if (here().kind == TokenKind::end) return wrong("the condition is empty");
    auto whole = either();
    if (!whole) return whole;
    if (here().kind != TokenKind::end) return left_over();
    return whole;
  }

 private:
  const Token& here() const { return tokens_[at_]; }
  bool is_symbol(std::string_view symbol) const {
    return here().kind == TokenKind::symbol && here().text == symbol;
  }
  bool is_name(std::string_view word) const {
    return here().kind == TokenKind::word && here().text == word;
  }
  Token take() {
    const Token token = here();
    if (token.kind != TokenKind::end) ++at_;
    return token;
  }
  std::unexpected<Error> wrong(std::string what) const {
    return fault_at(text_, here().at, std::move(what));
  }
  std::unexpected<Error> left_over() const {
    if (is_symbol(")")) return wrong("this `)` closes nothing");
    if (is_symbol("%")) return wrong("`%` must directly follow a number");
    if (here().kind == TokenKind::symbol && stands_in(kRelations, here().text)) {
      return wrong("a comparison cannot be compared again; join two with `and`");
    }
    const bool may_be_mistyped =
        here().kind == TokenKind::word && !stands_in(kReserved, here().text);
    const std::string hint = may_be_mistyped ? meant_operator(here().text) : std::string();
    return wrong(fmt::format("expected an operator, `and`, `or` or the end, found {}{}",
                             shown(here()), hint));
  }

  // Every tree node is made here, so here is the bound on their number.
  Result<Syntax> made(SyntaxKind kind, Token token, std::vector<Syntax> parts = {}) {
    if (++parts_ > kMostParts) {
      return fault_at(text_, token.at,
                      fmt::format("the condition has more than {} parts", kMostParts));
    }
    return Syntax{.kind = kind, .token = token, .parts = std::move(parts)};
  }
  Result<Syntax> made(SyntaxKind kind, Token token, Syntax left, Syntax right) {
    std::vector<Syntax> parts;
    parts.reserve(2);
    parts.push_back(std::move(left));
    parts.push_back(std::move(right));
    return made(kind, token, std::move(parts));
  }

  // left { operator right }, joined from the left. `kind` names the operator at here(), or nothing.
  template <class Operand, class Kind>
  Result<Syntax> chain(Operand operand, Kind kind) {
    auto left = (this->*operand)();
    while (left) {
      const std::optional<SyntaxKind> found = kind();
      if (!found) break;
      const Token token = take();
      auto right = (this->*operand)();
      if (!right) return right;
      left = made(*found, token, std::move(*left), std::move(*right));
    }
    return left;
  }
  std::optional<SyntaxKind> if_name(std::string_view word, SyntaxKind kind) const {
    return is_name(word) ? std::optional(kind) : std::nullopt;
  }

  // One level deeper, where there is room.
  template <class Inner>
  Result<Syntax> nested(Inner inner) {
    if (depth_ >= kDeepest) {
      return wrong(fmt::format("nested more than {} levels deep", kDeepest));
    }
    ++depth_;
    auto found = (this->*inner)();
    --depth_;
    return found;
  }

  Result<Syntax> either() {
    return chain(&Parser::both, [&] { return if_name("or", SyntaxKind::either); });
  }
  Result<Syntax> both() {
    return chain(&Parser::negation, [&] { return if_name("and", SyntaxKind::both); });
  }
  Result<Syntax> negation() {
    return prefixed(is_name("not"), SyntaxKind::negation, &Parser::negation, &Parser::comparison);
  }
  Result<Syntax> prefixed(bool there, SyntaxKind kind, Result<Syntax> (Parser::*again)(),
                          Result<Syntax> (Parser::*otherwise)()) {
    if (!there) return (this->*otherwise)();
    const Token token = take();
    auto inner = nested(again);
    if (!inner) return inner;
    std::vector<Syntax> parts;
    parts.push_back(std::move(*inner));
    return made(kind, token, std::move(parts));
  }

  Result<Syntax> comparison() {
    auto left = sum();
    if (!left) return left;
    if (here().kind == TokenKind::symbol && stands_in(kRelations, here().text)) {
      const Token token = take();
      auto right = sum();
      if (!right) return right;
      return made(SyntaxKind::compare, token, std::move(*left), std::move(*right));
    }
    if (here().kind != TokenKind::word) return left;
    if (is_name("is")) return knowledge(std::move(*left));
    if (is_name("exceeds")) return excess(std::move(*left));
    if (is_name(kClimbs)) return climb(std::move(*left));
    return word_operator(std::move(*left));
  }

  Result<Syntax> knowledge(Syntax left) {
    const Token token = take();
    const bool unknown = is_name("unknown");
    if (!unknown && !is_name("known")) {
      return wrong(
          fmt::format("expected `known` or `unknown` after `is`, found {}", shown(here())));
    }
    take();
    std::vector<Syntax> parts;
    parts.push_back(std::move(left));
    auto whole = made(SyntaxKind::known, token, std::move(parts));
    if (whole) whole->negated = unknown;
    return whole;
  }

  Result<Syntax> excess(Syntax left) {
    const Token token = take();
    auto right = sum();
    if (!right) return right;
    return with_rate(made(SyntaxKind::exceeds, token, std::move(left), std::move(*right)));
  }

  Result<Syntax> climb(Syntax left) {
    const Token token = take();
    std::vector<Syntax> parts;
    parts.push_back(std::move(left));
    for (const std::string_view word : {"from", "to"}) {
      if (!is_name(word)) {
        return wrong(fmt::format("expected `{}`, as in `climbs from 2% to 20%`, found {}", word,
                                 shown(here())));
      }
      take();
      auto share = sum();
      if (!share) return share;
      parts.push_back(std::move(*share));
    }
    return with_rate(made(SyntaxKind::climbs, token, std::move(parts)));
  }

  // A test, and behind it perhaps `at` and its error rate.
  Result<Syntax> with_rate(Result<Syntax> test) {
    if (!test || !is_name("at")) return test;
    take();
    auto rate = sum();
    if (!rate) return rate;
    test->parts.push_back(std::move(*rate));
    return test;
  }

  Result<Syntax> word_operator(Syntax left) {
    const bool negated = is_name("not");
    const Token& name = tokens_[at_ + (negated ? 1 : 0)];
    const auto known = std::ranges::find(kWordOperators, name.text, &WordOperator::name);
    if (name.kind != TokenKind::word || known == kWordOperators.end()) {
      if (!negated) return left;  // perhaps `and`; whoever called looks
      take();
      return wrong(
          fmt::format("expected `in`, `matches`, `contains`, `starts_with` or `ends_with` "
                      "after `not`, found {}",
                      shown(here())));
    }
    if (negated) take();
    const Token token = take();
    auto right = known->kind == SyntaxKind::in ? list() : sum();
    if (!right) return right;
    auto whole = made(known->kind, token, std::move(left), std::move(*right));
    if (whole) whole->negated = negated;
    return whole;
  }

  Result<Syntax> list() {
    if (!is_symbol("[")) {
      return wrong(
          fmt::format("expected a list like [\"a\", \"b\"] after `in`, found {}", shown(here())));
    }
    const Token open = take();
    std::vector<Syntax> items;
    for (;;) {
      auto item = unary();
      if (!item) return item;
      items.push_back(std::move(*item));
      if (items.size() > kLongestList) {
        return fault_at(text_, items.back().at(),
                        fmt::format("a list holds at most {} values", kLongestList));
      }
      if (is_symbol("]")) break;
      if (!is_symbol(",")) {
        return wrong(fmt::format("expected `,` or `]` in the list, found {}", shown(here())));
      }
      take();
    }
    take();
    return made(SyntaxKind::list, open, std::move(items));
  }

  Result<Syntax> sum() {
    return chain(&Parser::product, [&]() -> std::optional<SyntaxKind> {
      if (is_symbol("+")) return SyntaxKind::add;
      if (is_symbol("-")) return SyntaxKind::subtract;
      return std::nullopt;
    });
  }
  Result<Syntax> product() {
    return chain(&Parser::unary, [&]() -> std::optional<SyntaxKind> {
      if (is_symbol("*")) return SyntaxKind::multiply;
      if (is_symbol("/")) return SyntaxKind::divide;
      return std::nullopt;
    });
  }
  Result<Syntax> unary() {
    return prefixed(is_symbol("-"), SyntaxKind::negate, &Parser::unary, &Parser::primary);
  }

  Result<Syntax> primary() {
    if (here().kind == TokenKind::number) return made(SyntaxKind::number, take());
    if (here().kind == TokenKind::text) return made(SyntaxKind::text, take());
    if (is_symbol("(")) return bracketed();
    if (here().kind != TokenKind::word || stands_in(kReserved, here().text)) {
      return wrong(fmt::format("expected a name, a number or a text, found {}", shown(here())));
    }
    const Token word = take();
    return is_symbol("(") ? call(word) : made(SyntaxKind::word, word);
  }

  Result<Syntax> call(Token word) {
    const Token open = take();
    std::vector<Syntax> parts;
    for (;;) {
      auto inside = nested(&Parser::either);
      if (!inside) return inside;
      parts.push_back(std::move(*inside));
      if (!is_symbol(",")) break;
      take();
    }
    const auto end = closed(open);
    if (!end) return fail(end.error());
    return made(SyntaxKind::call, word, std::move(parts));
  }

  Result<Syntax> bracketed() {
    const Token open = take();
    auto inside = nested(&Parser::either);
    if (!inside) return inside;
    const auto end = closed(open);
    if (!end) return fail(end.error());
    return inside;
  }

  Result<Done> closed(const Token& open) {
    if (is_symbol(")")) {
      take();
      return Done{};
    }
    if (here().kind == TokenKind::end) return fault_at(text_, open.at, "this `(` is never closed");
    return left_over();
  }

  std::string_view text_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
  size_t depth_ = 0;
  size_t parts_ = 0;
};

}  // namespace

size_t Syntax::at() const {
  size_t first = token.at;
  for (const Syntax& part : parts) first = std::min(first, part.at());
  return first;
}

Result<Syntax> syntax_of(std::string_view text) {
  auto tokens = tokens_of(text);
  if (!tokens) return fail(tokens.error());
  return Parser(text, std::move(*tokens)).run();
}

}  // namespace watchpost::expr
