#include "expr/lexer.h"

#include "base/ascii.h"
#include "base/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include <fmt/format.h>

namespace watchpost::expr {
namespace {

constexpr size_t kLongestText = 4096;

struct UnitInfo {
  std::string_view name;
  double factor;
  Quantity quantity;
};
constexpr std::array<UnitInfo, 15> kUnits{{
    {"", 1, Quantity::number},
    {"%", 0.01, Quantity::number},
    {"s", 1, Quantity::seconds},
    {"m", 60, Quantity::seconds},
    {"h", 3600, Quantity::seconds},
    {"d", 86400, Quantity::seconds},
    {"k", 1e3, Quantity::number},
    {"M", 1e6, Quantity::number},
    {"G", 1e9, Quantity::number},
    {"kB", 1e3, Quantity::bytes},
    {"MB", 1e6, Quantity::bytes},
    {"GB", 1e9, Quantity::bytes},
    {"KiB", 1024.0, Quantity::bytes},
    {"MiB", 1024.0 * 1024, Quantity::bytes},
    {"GiB", 1024.0 * 1024 * 1024, Quantity::bytes},
}};

// Longer ones first: the lexer takes the first that fits.
constexpr std::array<std::string_view, 16> kSymbols{"==", "!=", "<=", ">=", "<", ">", "+", "-",
                                                    "*",  "/",  "(",  ")",  "[", "]", ",", "%"};

// What other languages write, and what to write here.
struct Foreign {
  std::string_view symbol;
  std::string_view advice;
};
constexpr std::array<Foreign, 6> kForeign{{
    {"&&", "write `and`"},
    {"||", "write `or`"},
    {"<>", "write `!=`"},
    {"=~", "write `matches`"},
    {"=", "write `==` to compare"},
    {"!", "write `not`"},
}};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// The length of a name at the start of `text`; 0 where there is none.
size_t word_length(std::string_view text) {
  if (text.empty() || !is_letter(text[0])) return 0;
  size_t length = 1;
  while (length < text.size()) {
    const char c = text[length];
    const bool dot = c == '.' && length + 1 < text.size() && is_letter(text[length + 1]);
    if (!is_letter(c) && !is_digit(c) && !dot) break;
    ++length;
  }
  return length;
}

size_t digits_at(std::string_view text, size_t at) {
  size_t end = at;
  while (end < text.size() && is_digit(text[end])) ++end;
  return end - at;
}

// The length of a number without its unit.
size_t number_length(std::string_view text) {
  size_t length = digits_at(text, 0);
  if (length < text.size() && text[length] == '.') {
    const size_t digits = digits_at(text, length + 1);
    if (digits > 0) length += 1 + digits;
  }
  if (length < text.size() && (text[length] == 'e' || text[length] == 'E')) {
    const bool sign =
        length + 1 < text.size() && (text[length + 1] == '+' || text[length + 1] == '-');
    const size_t digits = digits_at(text, length + 1 + (sign ? 1 : 0));
    if (digits > 0) length += 1 + (sign ? 1 : 0) + digits;
  }
  return length;
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Result<std::vector<Token>> run() {
    if (text_.size() > kLongestText) {
      return fault_at(text_, kLongestText,
                      fmt::format("the condition is longer than {} bytes", kLongestText));
    }
    std::vector<Token> tokens;
    for (;;) {
      while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
      const auto token = next();
      if (!token) return fail(token.error());
      tokens.push_back(*token);
      if (token->kind == TokenKind::end) return tokens;
    }
  }

 private:
  Result<Token> next() {
    const std::string_view rest = text_.substr(at_);
    if (rest.empty()) return Token{.at = at_};
    if (const size_t length = word_length(rest)) return take(TokenKind::word, length);
    if (is_digit(rest[0])) return number();
    if (rest[0] == '"' || rest[0] == '\'') return quoted();
    for (const std::string_view symbol : kSymbols) {
      // `<>` starts like `<`.
      if (rest.starts_with(symbol) && !rest.starts_with("<>")) {
        return take(TokenKind::symbol, symbol.size());
      }
    }
    for (const Foreign& foreign : kForeign) {
      if (!rest.starts_with(foreign.symbol)) continue;
      return fault_at(text_, at_,
                      fmt::format("`{}` is not an operator: {}", foreign.symbol, foreign.advice));
    }
    size_t length = 1;
    while (length < rest.size() && (rest[length] & 0xC0) == 0x80) ++length;
    return fault_at(text_, at_,
                    fmt::format("`{}` has no meaning here", escaped(rest.substr(0, length))));
  }

  Token take(TokenKind kind, size_t length) {
    const Token token{.kind = kind, .text = text_.substr(at_, length), .at = at_};
    at_ += length;
    return token;
  }

  Result<Token> number() {
    const std::string_view rest = text_.substr(at_);
    const size_t length = number_length(rest);
    size_t end = length;
    if (end < rest.size() && rest[end] == '%') {
      ++end;
    } else {
      while (end < rest.size() &&
             (is_letter(rest[end]) || is_digit(rest[end]) || rest[end] == '.')) {
        ++end;
      }
    }
    const auto unit = std::ranges::find(kUnits, rest.substr(length, end - length), &UnitInfo::name);
    if (unit == kUnits.end())
      return bad_number(rest.substr(0, end), rest.substr(length, end - length));

    double value = 0;
    const auto [stop, error] = std::from_chars(rest.data(), rest.data() + length, value);
    const auto unit_kind = static_cast<Unit>(unit - kUnits.begin());
    if (error != std::errc() || stop != rest.data() + length ||
        !std::isfinite(with_unit(value, unit_kind))) {
      return fault_at(text_, at_, fmt::format("`{}` is out of range", rest.substr(0, end)));
    }
    Token token = take(TokenKind::number, end);
    token.number = value;
    token.unit = unit_kind;
    return token;
  }

  std::unexpected<Error> bad_number(std::string_view whole, std::string_view unit) {
    if (word_length(unit) == unit.size()) {
      return fault_at(
          text_, at_ + (whole.size() - unit.size()),
          fmt::format("`{}` is not a unit; known are %, s, m, h, d, k, M, G, kB, MB, GB, "
                      "KiB, MiB, GiB",
                      unit));
    }
    return fault_at(text_, at_, fmt::format("`{}` is not a number; text stands in quotes", whole));
  }

  Result<Token> quoted() {
    const char quote = text_[at_];
    const size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) {
      return fault_at(text_, at_, "this quote is never closed");
    }
    const std::string_view inside = text_.substr(at_ + 1, end - at_ - 1);
    // What escaped() would change would deceive whoever reads the rule.
    const std::string safe = escaped(inside);
    if (safe != inside) {
      const auto same = std::ranges::mismatch(inside, safe).in1 - inside.begin();
      return fault_at(text_, at_ + 1 + static_cast<size_t>(same),
                      "a text may not hold control characters or broken UTF-8");
    }
    const Token token{.kind = TokenKind::text, .text = inside, .at = at_};
    at_ = end + 1;
    return token;
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

std::string_view name_of(Unit unit) { return kUnits[static_cast<size_t>(unit)].name; }

Quantity quantity_of(Unit unit) { return kUnits[static_cast<size_t>(unit)].quantity; }

double with_unit(double number, Unit unit) {
  // 0.3 / 100 is the double nearest to 0.003; 0.3 * 0.01 is not.
  if (unit == Unit::percent) return number / 100;
  return number * kUnits[static_cast<size_t>(unit)].factor;
}

Result<std::vector<Token>> tokens_of(std::string_view text) { return Lexer(text).run(); }

std::unexpected<Error> fault_at(std::string_view text, size_t at, std::string what) {
  const std::string_view before = text.substr(0, at);
  // Bytes that continue a UTF-8 character do not count.
  const auto column = 1 + std::ranges::count_if(before, [](char c) { return (c & 0xC0) != 0x80; });
  return fail(Code::bad_input, std::move(what), fmt::format("column {}", column));
}

bool is_word(std::string_view text) { return !text.empty() && word_length(text) == text.size(); }

}  // namespace watchpost::expr
