#include "expr/checker.h"

#include "base/text.h"
#include "expr/render.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace watchpost::expr {
namespace {

std::vector<std::string_view> names(std::span<const FieldName> fields) {
  std::vector<std::string_view> found;
  found.reserve(fields.size());
  for (const FieldName& field : fields) found.push_back(field.name);
  return found;
}

const FieldName* find(std::span<const FieldName> fields, std::string_view name) {
  const auto found = std::ranges::find(fields, name, &FieldName::name);
  return found == fields.end() ? nullptr : &*found;
}

std::string_view with_article(Type type) {
  switch (type) {
    case Type::boolean: return "a condition";
    case Type::number: return "a number";
    case Type::text: return "a text";
  }
  return "";
}

}  // namespace

Result<std::shared_ptr<const Program>> compile(std::string_view text, const Schema& schema,
                                               Subject subject) {
  const auto syntax = syntax_of(text);
  if (!syntax) return fail(syntax.error());
  return Checker(text, schema, subject).run(*syntax);
}

Checker::Checker(std::string_view text, const Schema& schema, Subject subject)
    : text_(text), subject_(subject) {
  program_.schema = schema;
}

Result<std::shared_ptr<const Program>> Checker::run(const Syntax& whole) {
  const auto root = check_as(Type::boolean, whole, "the whole");
  if (!root) return fail(root.error());
  program_.root = root->node;
  program_.text = text_of(program_, root->node);
  return std::make_shared<const Program>(std::move(program_));
}

Result<Checker::Checked> Checker::check(const Syntax& syntax) {
  switch (syntax.kind) {
    case SyntaxKind::number:
    case SyntaxKind::text: return literal(syntax);
    case SyntaxKind::word:
    case SyntaxKind::call: return word(syntax);
    case SyntaxKind::list: return wrong(syntax, "a list stands only after `in`");
    case SyntaxKind::negate: return negate(syntax);
    case SyntaxKind::add: return arithmetic(syntax, Op::add);
    case SyntaxKind::subtract: return arithmetic(syntax, Op::subtract);
    case SyntaxKind::multiply: return arithmetic(syntax, Op::multiply);
    case SyntaxKind::divide: return arithmetic(syntax, Op::divide);
    case SyntaxKind::compare: return compare(syntax);
    case SyntaxKind::in: return in(syntax);
    case SyntaxKind::matches: return matches(syntax);
    case SyntaxKind::contains: return search(syntax, Op::contains);
    case SyntaxKind::starts_with: return search(syntax, Op::starts_with);
    case SyntaxKind::ends_with: return search(syntax, Op::ends_with);
    case SyntaxKind::known: return known(syntax);
    case SyntaxKind::exceeds: return exceeds(syntax);
    case SyntaxKind::climbs: return climbs(syntax);
    case SyntaxKind::negation: return negation(syntax);
    case SyntaxKind::both: return logic(syntax, Op::both);
    case SyntaxKind::either: return logic(syntax, Op::either);
  }
  return wrong(syntax, "this cannot be read");
}

Result<Checker::Checked> Checker::check_as(Type type, const Syntax& syntax,
                                           std::string_view where) {
  auto checked = check(syntax);
  if (!checked || checked->type == type) return checked;
  std::string hint;
  if (type == Type::boolean && checked->type == Type::number) {
    hint = "; compare it, for example with `> 10`";
  } else if (type == Type::boolean) {
    hint = "; compare it, for example with `== \"...\"`";
  } else if (type == Type::number && syntax.kind == SyntaxKind::text) {
    hint = "; a number stands without quotes";
  }
  return wrong(syntax, fmt::format("{} must be {}, and this is {}{}", where, with_article(type),
                                   with_article(checked->type), hint));
}

Result<Checker::Checked> Checker::literal(const Syntax& syntax) {
  const Token& token = syntax.token;
  if (syntax.kind == SyntaxKind::text) {
    if (subject_ == Subject::counts) {
      return wrong(syntax, "a text stands only inside a count, as in `bounced(provider == \"x\")`");
    }
    return Checked{.type = Type::text, .node = add_text(token.text)};
  }
  const NodeIndex node = add({.op = Op::number,
                              .unit = token.unit,
                              .value = with_unit(token.number, token.unit),
                              .written = token.number});
  return Checked{.type = Type::number, .node = node, .quantity = quantity_of(token.unit)};
}

Result<Checker::Checked> Checker::field(const Syntax& syntax) {
  const FieldName* found = find(program_.schema.fields, syntax.token.text);
  if (found == nullptr) {
    return wrong(syntax, fmt::format("`{}` is not a field{}", syntax.token.text,
                                     suggestion(syntax.token.text, names(program_.schema.fields))));
  }
  const auto index = static_cast<uint16_t>(found - program_.schema.fields.data());
  Op op = Op::text_field;
  if (found->type == Type::number) op = Op::number_field;
  if (found->type == Type::boolean) op = Op::is_true;
  return Checked{.type = found->type,
                 .node = add({.op = op, .index = index}),
                 .quantity = found->quantity,
                 .field = found};
}

Result<Checker::Checked> Checker::logic(const Syntax& syntax, Op op) {
  const std::string where = fmt::format("each side of `{}`", syntax.token.text);
  const auto left = check_as(Type::boolean, syntax.parts[0], where);
  if (!left) return left;
  const auto right = check_as(Type::boolean, syntax.parts[1], where);
  if (!right) return right;
  return Checked{.type = Type::boolean,
                 .node = add({.op = op, .left = left->node, .right = right->node})};
}

Result<Checker::Checked> Checker::negation(const Syntax& syntax) {
  const auto inner = check_as(Type::boolean, syntax.parts[0], "what follows `not`");
  if (!inner) return inner;
  return Checked{.type = Type::boolean, .node = add({.op = Op::negation, .left = inner->node})};
}

Result<Checker::Checked> Checker::arithmetic(const Syntax& syntax, Op op) {
  const std::string where = fmt::format("each side of `{}`", syntax.token.text);
  const auto left = check_as(Type::number, syntax.parts[0], where);
  if (!left) return left;
  const auto right = check_as(Type::number, syntax.parts[1], where);
  if (!right) return right;
  Quantity quantity = Quantity::number;  // of products and quotients nothing is known
  if (op == Op::add || op == Op::subtract) {
    const auto common = agree(*left, *right, syntax);
    if (!common) return fail(common.error());
    quantity = *common;
  }
  return Checked{.type = Type::number,
                 .node = add({.op = op, .left = left->node, .right = right->node}),
                 .quantity = quantity};
}

Result<Checker::Checked> Checker::negate(const Syntax& syntax) {
  const auto inner = check_as(Type::number, syntax.parts[0], "what follows `-`");
  if (!inner) return inner;
  return Checked{.type = Type::number,
                 .node = add({.op = Op::negate, .left = inner->node}),
                 .quantity = inner->quantity};
}

NodeIndex Checker::add(Node node) {
  // The parser bounds the number of parts, and each makes one node or two.
  WP_CHECK(program_.nodes.size() < kNoNode);
  for (const NodeIndex operand : {node.left, node.right}) {
    if (operand != kNoNode && program_[operand].costly) node.costly = true;
  }
  program_.nodes.push_back(node);
  return static_cast<NodeIndex>(program_.nodes.size() - 1);
}

NodeIndex Checker::add_text(std::string_view text) {
  program_.texts.emplace_back(text);
  return add({.op = Op::text, .index = static_cast<uint16_t>(program_.texts.size() - 1)});
}

Checker::Checked Checker::condition(Node node) {
  const NodeIndex index = add(node);
  if (program_.first_comparison == kNoNode) program_.first_comparison = index;
  return Checked{.type = Type::boolean, .node = index};
}

std::unexpected<Error> Checker::wrong(const Syntax& syntax, std::string what) const {
  return fault_at(text_, syntax.at(), std::move(what));
}

}  // namespace watchpost::expr
