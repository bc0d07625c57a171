#include "dns/zone_lexer.h"

#include "base/ascii.h"

#include <algorithm>

namespace watchpost::dns {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }
bool ends_word(char c) {
  return is_blank(c) || c == '\n' || c == ';' || c == '"' || c == '(' || c == ')';
}

}  // namespace

ZoneLexer::ZoneLexer(std::string_view text) : text_(text) {
  if (text_.starts_with(kByteOrderMark)) text_.remove_prefix(kByteOrderMark.size());
}

Result<bool> ZoneLexer::next(ZoneEntry& entry) {
  entry.words.clear();
  bool within = false;
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (entry.words.empty() && !within) {
      entry.line = line_;
      entry.at_edge = at_ == 0 || text_[at_ - 1] == '\n';
    }
    if (c == '\n') {
      ++at_;
      ++line_;
      if (!within && !entry.words.empty()) return true;
    } else if (c == ';') {
      skip_comment();
    } else if (c == '(' || c == ')') {
      if (within == (c == '(')) return wrong(within ? "`(` within `(`" : "`)` without `(`");
      within = c == '(';
      ++at_;
    } else if (is_blank(c)) {
      ++at_;
    } else {
      const auto added = c == '"' ? add_quoted(entry) : add_plain(entry);
      if (!added) return fail(added.error());
    }
  }
  if (within) return wrong("the file ends within parentheses");
  return !entry.words.empty();
}

Result<Done> ZoneLexer::add_quoted(ZoneEntry& entry) {
  const size_t begin = ++at_;
  while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\n') {
    if (text_[at_] == '\\' && !skip_escape()) break;
    ++at_;
  }
  if (at_ >= text_.size() || text_[at_] != '"') return wrong("a quote is not closed on its line");
  entry.words.push_back({text_.substr(begin, at_ - begin), true});
  ++at_;
  return Done{};
}

Result<Done> ZoneLexer::add_plain(ZoneEntry& entry) {
  const size_t begin = at_;
  while (at_ < text_.size() && !ends_word(text_[at_])) {
    if (text_[at_] == '\\' && !skip_escape()) return wrong("a backslash ends the line");
    ++at_;
  }
  entry.words.push_back({text_.substr(begin, at_ - begin), false});
  return Done{};
}

// Moves to the byte behind a backslash; false where the line ends there.
bool ZoneLexer::skip_escape() {
  if (at_ + 1 >= text_.size() || text_[at_ + 1] == '\n') return false;
  ++at_;
  return true;
}

void ZoneLexer::skip_comment() { at_ = std::min(text_.find('\n', at_), text_.size()); }

std::unexpected<Error> ZoneLexer::wrong(std::string what) const {
  return fail(Code::bad_input, std::move(what), std::to_string(line_));
}

std::optional<std::string> unescaped(std::string_view raw) {
  std::string out;
  out.reserve(raw.size());
  for (size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '\\') {
      out += raw[i];
      continue;
    }
    if (++i == raw.size()) return std::nullopt;
    if (!is_digit(raw[i])) {
      out += raw[i];
      continue;
    }
    if (i + 2 >= raw.size() || !is_digit(raw[i + 1]) || !is_digit(raw[i + 2])) return std::nullopt;
    const int value = (raw[i] - '0') * 100 + (raw[i + 1] - '0') * 10 + (raw[i + 2] - '0');
    if (value > 255) return std::nullopt;
    out += static_cast<char>(value);
    i += 2;
  }
  return out;
}

}  // namespace watchpost::dns
