#include "mime/lexer.h"

namespace watchpost::mime {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// The end of what opens at text[at], nested or not; npos where it is never closed.
size_t end_of_comment(std::string_view text, size_t at) {
  size_t depth = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\\') {
      ++at;
    } else if (c == '(') {
      ++depth;
    } else if (c == ')' && --depth == 0) {
      return at + 1;
    }
  }
  return std::string_view::npos;
}

size_t end_of_quote(std::string_view text, size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      return at + 1;
    }
  }
  return std::string_view::npos;
}

}  // namespace

bool Lexer::skip_blanks() {
  const size_t begin = at_;
  while (!done()) {
    if (is_space(text_[at_])) {
      ++at_;
    } else if (text_[at_] == '(') {
      skip_comment();
    } else {
      break;
    }
  }
  return at_ > begin;
}

void Lexer::skip_comment() {
  // Behind one that is never closed none is looked for: the search would be done again and again.
  const size_t end = unclosed_comment_ ? std::string_view::npos : end_of_comment(text_, at_);
  if (end == std::string_view::npos) {
    unclosed_comment_ = true;
    ++at_;
    return;
  }
  comment_ = text_.substr(at_ + 1, end - at_ - 2);
  at_ = end;
}

std::optional<std::string> Lexer::quoted() {
  const size_t end = unclosed_quote_ ? std::string_view::npos : end_of_quote(text_, at_);
  if (end == std::string_view::npos) {
    unclosed_quote_ = true;
    return std::nullopt;
  }
  const std::string_view inside = text_.substr(at_ + 1, end - at_ - 2);
  at_ = end;
  return without_pairs(inside);
}

std::string without_pairs(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\' && at + 1 < text.size()) {
      plain += text[++at];
    } else if (text[at] != '\r' && text[at] != '\n') {
      plain += text[at];
    }
  }
  return plain;
}

}  // namespace watchpost::mime
