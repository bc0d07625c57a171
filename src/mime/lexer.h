#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace watchpost::mime {

// A place in a structured field body, and what all of them share (RFC 5322 section 3.2): blanks
// with their folds, comments, quoted strings. Each byte is looked at a bounded number of times.
class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  bool done() const { return at_ >= text_.size(); }
  char peek() const { return done() ? '\0' : text_[at_]; }
  size_t at() const { return at_; }
  void go_to(size_t at) { at_ = at; }
  void skip() { at_ += done() ? 0 : 1; }
  std::string_view rest() const { return text_.substr(at_); }
  std::string_view between(size_t begin, size_t end) const {
    return text_.substr(begin, end - begin);
  }

  // Goes over blanks, folds and comments; false where there are none. A comment that is never
  // closed is no comment: its parenthesis alone is gone over.
  bool skip_blanks();
  // Behind the comment, or the parenthesis of one that is never closed.
  void skip_comment();
  // At a double quote: what is quoted, pairs and folds undone. Nothing where it is never closed;
  // then the place stays.
  std::optional<std::string> quoted();

  // Inside of the last comment gone over; empty: none.
  std::string_view comment() const { return comment_; }
  void forget_comment() { comment_ = {}; }
  // A quote or a comment that is never closed was met.
  bool unclosed() const { return unclosed_comment_ || unclosed_quote_; }

 private:
  std::string_view text_;
  size_t at_ = 0;
  std::string_view comment_;
  bool unclosed_comment_ = false;
  bool unclosed_quote_ = false;
};

// Backslashes of quoted pairs gone, folds undone.
std::string without_pairs(std::string_view text);

}  // namespace watchpost::mime
