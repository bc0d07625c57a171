#include "mime/content.h"

#include "base/text.h"
#include "mime/charset.h"
#include "mime/lexer.h"
#include "mime/utf8.h"
#include "mime/words.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace watchpost::mime {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// RFC 2045 section 5.1; bytes beyond ASCII are taken as well.
bool is_token(char c) {
  return static_cast<unsigned char>(c) > 0x20 && c != 0x7F &&
         !std::string_view("()<>@,;:\\\"/[]?=").contains(c);
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// One "name=value" as it stands there.
struct Given {
  std::string name;  // lower case; without what RFC 2231 puts behind it
  std::string value;
  std::optional<unsigned> segment;  // of a value in pieces: name*0, name*1
  bool extended = false;            // name*: with a charset and percent signs
  size_t at = 0;
};

// The form of a parameter that is believed where it is given in several: RFC 2231 before the plain
// one, which is then for readers that do not know it.
int rank(const Given& given) { return given.segment ? 1 : given.extended ? 2 : 0; }

class ValueReading {
 public:
  ValueReading(std::string_view body, size_t begin, Findings& findings)
      : lexer_(body), begin_(begin), findings_(findings) {}

  ContentValue run() {
    read_value();
    while (next_parameter()) {
      if (given_.size() == kMostParameters) {
        bad(lexer_.at());
        break;
      }
      read_parameter();
    }
    if (lexer_.unclosed()) bad(lexer_.at());
    if (!is_utf8(content_.value)) {
      bad(0);
      content_.value = to_utf8(content_.value, {}, 4 * content_.value.size()).text;
    }
    assemble();
    return std::move(content_);
  }

 private:
  void bad(size_t at) { add(Defect::bad_parameter, at); }
  void add(Defect what, size_t at) { findings_.add(what, begin_ + at); }

  // "text/plain": what stands before the first semicolon, blanks and comments gone.
  void read_value() {
    lexer_.skip_blanks();
    if (lexer_.peek() == '"') {
      if (const auto text = lexer_.quoted()) content_.value = lower_ascii(*text);
      return;
    }
    while (!lexer_.done()) {
      const size_t begin = lexer_.at();
      const std::string_view rest = lexer_.rest();
      size_t end = 0;
      while (end < rest.size() && (is_token(rest[end]) || rest[end] == '/')) ++end;
      // "text/plain charset=us-ascii": no semicolon, but a parameter all the same.
      if (end == 0 ||
          (!content_.value.empty() && content_.value.back() != '/' && rest.front() != '/')) {
        break;
      }
      content_.value += lower_ascii(rest.substr(0, end));
      lexer_.go_to(begin + end);
      lexer_.skip_blanks();
    }
  }

  // Goes to the name of the next parameter.
  bool next_parameter() {
    lexer_.skip_blanks();
    bool separated = false;
    while (lexer_.peek() == ';') {
      separated = true;
      lexer_.skip();
      lexer_.skip_blanks();
    }
    if (lexer_.done()) return false;
    if (separated || name_begins(lexer_.at())) {
      if (!separated) bad(lexer_.at());
      return true;
    }
    bad(lexer_.at());
    go_to_semicolon();
    return next_after_rubbish();
  }

  bool next_after_rubbish() {
    while (!lexer_.done() && (lexer_.peek() == ';' || is_space(lexer_.peek()))) lexer_.skip();
    return !lexer_.done();
  }

  void go_to_semicolon() {
    const size_t end = lexer_.rest().find(';');
    lexer_.go_to(lexer_.at() + std::min(end, lexer_.rest().size()));
  }

  // Whether "name=" stands there.
  bool name_begins(size_t at) const {
    const std::string_view text = lexer_.between(at, lexer_.at() + lexer_.rest().size());
    size_t end = 0;
    while (end < text.size() && end < 80 && is_token(text[end])) ++end;
    return end > 0 && end < text.size() && text[end] == '=';
  }

  void read_parameter() {
    Given given;
    given.at = lexer_.at();
    const std::string_view rest = lexer_.rest();
    size_t end = 0;
    while (end < rest.size() && is_token(rest[end])) ++end;
    lexer_.go_to(given.at + end);
    lexer_.skip_blanks();
    if (end == 0 || lexer_.peek() != '=') {
      bad(given.at);
      go_to_semicolon();
      return;
    }
    lexer_.skip();
    lexer_.skip_blanks();
    if (!split_name(rest.substr(0, end), given)) bad(given.at);
    given.value = lexer_.peek() == '"' ? quoted_value() : bare_value();
    if (!given.name.empty()) given_.push_back(std::move(given));
  }

  // RFC 2231 section 3 and 4: "name*", "name*0", "name*0*". False where it is none of them.
  static bool split_name(std::string_view written, Given& given) {
    const size_t star = written.find('*');
    given.name = lower_ascii(written.substr(0, star));
    if (star == std::string_view::npos) return true;
    std::string_view behind = written.substr(star + 1);
    given.extended = behind.empty() || behind.back() == '*';
    if (behind.empty()) return !given.name.empty();
    if (given.extended) behind.remove_suffix(1);
    unsigned number = 0;
    for (const char c : behind) {
      if (c < '0' || c > '9' || number > kMostParameters) {
        given.name = lower_ascii(written);
        given.extended = false;
        return false;
      }
      number = number * 10 + static_cast<unsigned>(c - '0');
    }
    given.segment = number;
    return !behind.empty() && !given.name.empty() && (behind.size() == 1 || behind[0] != '0');
  }

  std::string quoted_value() {
    const size_t begin = lexer_.at();
    if (auto text = lexer_.quoted()) return std::move(*text);
    // Never closed: what is left is the value.
    const std::string_view rest = lexer_.rest().substr(1);
    lexer_.go_to(begin + 1 + rest.size());
    return without_pairs(rest);
  }

  // Up to the semicolon, also where it should have been quoted ("name=my file.txt"). A comment
  // ends it, and so does another parameter.
  std::string bare_value() {
    const size_t begin = lexer_.at();
    size_t end = begin;  // of the value without the blanks behind it
    while (!lexer_.done() && lexer_.peek() != ';') {
      if (!is_space(lexer_.peek())) {
        if (!is_token(lexer_.peek())) odd_ = true;
        lexer_.skip();
        end = lexer_.at();
        continue;
      }
      lexer_.skip_blanks();
      if (lexer_.done() || lexer_.peek() == ';' || name_begins(lexer_.at())) break;
      odd_ = true;
    }
    if (std::exchange(odd_, false) || end == begin) bad(begin);
    std::string value(lexer_.between(begin, end));
    std::erase_if(value, [](char c) { return c == '\r' || c == '\n'; });
    return value;
  }

  // Given parameters into values, in the order of their first mention.
  void assemble() {
    for (size_t i = 0; i < given_.size(); ++i) {
      const std::string& name = given_[i].name;
      if (content_.find(name) != nullptr) continue;
      if (is_simple(i)) {
        content_.parameters.emplace_back(std::move(given_[i].name), std::move(given_[i].value));
        continue;
      }
      std::vector<std::string> values = readings(name, i);
      content_.parameters.emplace_back(name, std::move(values.front()));
      for (size_t more = 1; more < values.size(); ++more) {
        if (values[more] == content_.parameters.back().second) continue;
        add(Defect::doubled_parameter, given_[i].at);
        content_.others.emplace_back(name, std::move(values[more]));
      }
    }
  }

  // What nearly all are: given once, in one piece, in ASCII.
  bool is_simple(size_t i) const {
    const Given& given = given_[i];
    if (given.segment || given.extended) return false;
    if (ascii_prefix(given.value) < given.value.size()) return false;
    if (given.value.find("=?") != std::string::npos) return false;
    return std::none_of(given_.begin() + static_cast<std::ptrdiff_t>(i) + 1, given_.end(),
                        [&](const Given& other) { return other.name == given.name; });
  }

  // All that the parameter may be read as, the one to believe first. given_[first] is the first
  // of its name; at least one comes back.
  std::vector<std::string> readings(const std::string& name, size_t first) {
    std::vector<const Given*> pieces;
    std::vector<const Given*> whole;
    for (size_t i = first; i < given_.size(); ++i) {
      if (given_[i].name == name) (given_[i].segment ? pieces : whole).push_back(&given_[i]);
    }
    std::ranges::stable_sort(whole, std::greater<>(), [](const Given* g) { return rank(*g); });
    std::vector<std::string> values;
    for (const Given* given : whole) {
      if (rank(*given) < rank_of_pieces(pieces)) add_pieces(pieces, values);
      values.push_back(value_of({given}));
    }
    add_pieces(pieces, values);
    return values;
  }

  static int rank_of_pieces(const std::vector<const Given*>& pieces) {
    return pieces.empty() ? -1 : rank(*pieces.front());
  }

  // The pieces in the order of their numbers, whatever order they came in.
  void add_pieces(std::vector<const Given*>& pieces, std::vector<std::string>& values) {
    if (pieces.empty()) return;
    std::ranges::stable_sort(pieces, {}, [](const Given* g) { return *g->segment; });
    std::vector<const Given*> chain;
    for (const Given* piece : pieces) {
      const unsigned expected = static_cast<unsigned>(chain.size());
      if (*piece->segment == expected) {
        chain.push_back(piece);
      } else if (*piece->segment < expected) {
        const std::string& had = chain[*piece->segment]->value;
        if (had != piece->value) add(Defect::doubled_parameter, piece->at);
      } else {
        bad(piece->at);  // one is missing before it
        break;
      }
    }
    if (chain.empty()) chain = {pieces.front()};
    values.push_back(value_of(chain));
    pieces.clear();
  }

  // The text of one value, in one piece or in several.
  std::string value_of(const std::vector<const Given*>& chain) {
    std::string bytes;
    std::string charset;
    bool extended = false;
    for (const Given* given : chain) {
      std::string_view text = given->value;
      if (given->extended && given == chain.front()) take_charset(text, charset, given->at);
      extended |= given->extended;
      append(bytes, text, given->extended, given->at);
    }
    const size_t at = chain.front()->at;
    const bool shown = chain.front()->name == "name" || chain.front()->name == "filename";
    if (!extended && shown) {
      Findings inside;  // their places are of the joined text
      std::string text = readable(bytes, 0, inside);
      for (const Finding& one : inside.all()) add(one.what, at);
      return text;
    }
    const Utf8Text text = to_utf8(bytes, charset, 4 * bytes.size());
    if (!text.known) add(Defect::unknown_charset, at);
    if (!text.clean) add(Defect::bad_charset_bytes, at);
    return text.text;
  }

  // "utf-8'en'" before the text.
  void take_charset(std::string_view& text, std::string& charset, size_t at) {
    const size_t first = text.find('\'');
    const size_t second = first == std::string_view::npos ? first : text.find('\'', first + 1);
    if (second == std::string_view::npos) {
      bad(at);
      return;
    }
    charset = text.substr(0, first);
    text.remove_prefix(second + 1);
  }

  void append(std::string& bytes, std::string_view text, bool percents, size_t at) {
    if (!percents) {
      bytes += text;
      return;
    }
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '%') {
        bytes += text[i];
      } else if (i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
                 hex_value(text[i + 2]) >= 0) {
        bytes += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
        i += 2;
      } else {
        bad(at);
        bytes += '%';
      }
    }
  }

  Lexer lexer_;
  size_t begin_;
  Findings& findings_;
  ContentValue content_;
  std::vector<Given> given_;
  bool odd_ = false;  // the bare value that is read should have been quoted
};

}  // namespace

const std::string* ContentValue::find(std::string_view name) const {
  for (const auto& [key, text] : parameters) {
    if (key == name) return &text;
  }
  return nullptr;
}

ContentValue read_content_value(std::string_view body, size_t begin, Findings& findings) {
  return ValueReading(body, begin, findings).run();
}

ContentValue read_content_value(std::string_view body) {
  Findings findings;
  return read_content_value(body, 0, findings);
}

}  // namespace watchpost::mime
