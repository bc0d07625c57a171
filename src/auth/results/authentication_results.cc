#include "auth/results/authentication_results.h"

#include "auth/results/authserv_id.h"
#include "base/ascii.h"
#include "base/text.h"
#include "mime/charset.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace watchpost::auth {
namespace {

// RFC 5321 Keyword, and the underscore that some methods have.
bool is_keyword_char(char c) {
  const char low = to_lower(c);
  return is_digit(c) || (low >= 'a' && low <= 'z') || c == '-' || c == '_';
}

bool is_keyword(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_keyword_char);
}

bool is_control(char c) { return (c >= 0 && c < 0x20) || c == 0x7F; }

// What stands in a comment or a value, on one line.
std::string plain(std::string_view text) {
  std::string made = mime::is_utf8(text) ? std::string(text) : std::string();
  if (made.empty()) {
    for (const char c : text) made += static_cast<unsigned char>(c) < 0x80 ? c : '?';
  }
  std::ranges::replace(made, '\t', ' ');
  std::ranges::replace_if(made, is_control, '?');
  return made;
}

// ---- reading

class FieldReading {
 public:
  explicit FieldReading(std::string_view body) : lexer_(body) {}

  std::expected<AuthenticationResults, std::string> run() {
    AuthenticationResults read;
    auto id = read_authserv_id(lexer_);
    if (!id) return wrong("there is no authserv-id, or not it alone");
    read.authserv_id = plain(id->id);
    if (read.authserv_id != id->id) return wrong("the authserv-id has odd bytes");
    read.version = id->version.value_or(AuthenticationResults::kVersion);
    // RFC 8601 section 2.5: what another version means nobody can say.
    if (read.version != AuthenticationResults::kVersion) return wrong("its version is unknown");
    while (!lexer_.done()) {
      if (!next_result(read)) return wrong(why_);
    }
    if (lexer_.unclosed()) return wrong("a comment or a quote is never closed");
    if (none_ && !read.results.empty()) return wrong("it says `none` and has results");
    return read;
  }

 private:
  std::unexpected<std::string> wrong(std::string_view what) const {
    return std::unexpected(fmt::format("{} (byte {})", what, lexer_.at()));
  }

  bool note(std::string_view what) {
    why_ = what;
    return false;
  }

  // At a semicolon.
  bool next_result(AuthenticationResults& into) {
    if (lexer_.peek() != ';') return note("a semicolon is missing");
    lexer_.skip();
    lexer_.skip_blanks();
    // A last semicolon behind everything, as some have it.
    if (lexer_.done()) return true;
    MethodResult one;
    one.method = keyword();
    if (one.method.empty()) return note("the name of a method is missing");
    lexer_.skip_blanks();
    if (one.method == "none" && (lexer_.done() || lexer_.peek() == ';')) {
      none_ = true;
      return true;
    }
    if (!read_outcome(one) || !read_details(one)) return false;
    if (into.results.size() == kMostResults) return note("it has too many results");
    into.results.push_back(std::move(one));
    return true;
  }

  std::string keyword() {
    const std::string_view rest = lexer_.rest();
    size_t size = 0;
    while (size < rest.size() && is_keyword_char(rest[size])) ++size;
    lexer_.go_to(lexer_.at() + size);
    return lower_ascii(rest.substr(0, size));
  }

  bool take(char wanted) {
    lexer_.skip_blanks();
    if (lexer_.peek() != wanted || lexer_.done()) return false;
    lexer_.skip();
    lexer_.skip_blanks();
    return true;
  }

  // "/1=pass (comment)" behind the method.
  bool read_outcome(MethodResult& one) {
    if (take('/')) {
      const auto version = read_number(lexer_);
      if (!version) return note("the version of a method is no number");
      one.version = *version;
    }
    if (!take('=')) return note("a result is missing");
    one.result = keyword();
    if (one.result.empty()) return note("a result is missing");
    lexer_.forget_comment();
    if (!lexer_.skip_blanks() && !at_end()) return note("a result is no word");
    one.comment = plain(mime::without_pairs(lexer_.comment()));
    return true;
  }

  bool at_end() const { return lexer_.done() || lexer_.peek() == ';'; }

  // The reason and the properties.
  bool read_details(MethodResult& one) {
    while (!at_end()) {
      std::string name = keyword();
      lexer_.skip_blanks();
      if (name == "reason" && lexer_.peek() == '=') {
        lexer_.skip();
        lexer_.skip_blanks();
        auto value = read_value(lexer_);
        if (!value || !one.reason.empty()) return note("the reason is no value, or there are two");
        one.reason = plain(*value);
      } else if (!read_property(std::move(name), one)) {
        return false;
      }
      if (!lexer_.skip_blanks() && !at_end()) return note("a value goes on behind its end");
    }
    return true;
  }

  bool read_property(std::string type, MethodResult& one) {
    if (type.empty() || !take('.')) return note("neither a property nor the end of a result");
    std::string name = keyword();
    if (name.empty() || !take('=')) return note("a property has no value");
    auto value = property_value();
    if (!value) return note("the value of a property cannot be read");
    if (one.properties.size() == kMostResultProperties)
      return note("a result has too many properties");
    one.properties.push_back({std::move(type), std::move(name), plain(*value)});
    return true;
  }

  // A value, "local@domain", or what is neither by the letter, but ends where it seems to: base64
  // and IPv6 addresses that nobody quoted.
  std::optional<std::string> property_value() {
    std::string value;
    if (lexer_.peek() == '"') {
      auto quoted = lexer_.quoted();
      if (!quoted || lexer_.peek() != '@') return quoted;
      value = fmt::format("\"{}\"", escaped_pairs(*quoted, "\"\\"));
    }
    const std::string_view rest = lexer_.rest();
    size_t size = 0;
    while (size < rest.size() &&
           (is_token_char(rest[size]) || std::string_view("@:/[]=?").contains(rest[size]))) {
      ++size;
    }
    lexer_.go_to(lexer_.at() + size);
    return value.append(rest.substr(0, size));
  }

 public:
  static std::string escaped_pairs(std::string_view text, std::string_view specials) {
    std::string made;
    for (const char c : text) {
      if (specials.contains(c)) made += '\\';
      made += c;
    }
    return made;
  }

 private:
  mime::Lexer lexer_;
  std::string why_;
  bool none_ = false;
};

// ---- writing

constexpr size_t kLineWidth = 78;  // RFC 5322 section 2.1.1
constexpr size_t kLongestProperty = 700;
constexpr size_t kLongestWords = 200;

// A token, or "local@domain" of tokens; anything else is quoted.
bool stands_bare(std::string_view value, bool address) {
  const size_t at = value.find('@');
  const std::string_view local = value.substr(0, at);
  const bool is_address = address && at != std::string_view::npos;
  if (!is_address) return !value.empty() && std::ranges::all_of(value, is_token_char);
  const std::string_view domain = value.substr(at + 1);
  return !domain.empty() && std::ranges::all_of(local, is_token_char) &&
         std::ranges::all_of(domain, is_token_char);
}

std::string value_text(std::string_view hostile, bool address) {
  std::string value = plain(hostile);
  if (stands_bare(value, address)) return value;
  return fmt::format("\"{}\"", FieldReading::escaped_pairs(value, "\"\\"));
}

// Cut between characters.
std::string words_text(std::string_view hostile) {
  std::string words = plain(hostile);
  if (words.size() <= kLongestWords) return words;
  size_t end = kLongestWords;
  while (end > 0 && (static_cast<unsigned char>(words[end]) & 0xC0) == 0x80) --end;
  return words.substr(0, end);
}

// The words of one result, which may be folded between them.
std::vector<std::string> words_of(const MethodResult& one) {
  std::string head = one.method;
  if (one.version != 1) head += fmt::format("/{}", one.version);
  std::vector<std::string> words{fmt::format("{}={}", head, one.result)};
  if (!one.comment.empty()) {
    words.push_back(
        fmt::format("({})", FieldReading::escaped_pairs(words_text(one.comment), "()\\")));
  }
  if (!one.reason.empty()) {
    words.push_back("reason=" + value_text(words_text(one.reason), false));
  }
  size_t written = 0;
  for (const ResultProperty& property : one.properties) {
    if (!is_keyword(property.type) || !is_keyword(property.name)) continue;
    std::string text = value_text(property.value, true);
    if (text.size() > kLongestProperty || ++written > kMostResultProperties) continue;
    words.push_back(fmt::format("{}.{}={}", property.type, property.name, text));
  }
  return words;
}

}  // namespace

std::string_view MethodResult::property(std::string_view type, std::string_view name) const {
  for (const ResultProperty& one : properties) {
    if (one.type == type && one.name == name) return one.value;
  }
  return {};
}

std::expected<AuthenticationResults, std::string> parse_authentication_results(
    std::string_view body) {
  if (body.size() > kLongestResultsField) return std::unexpected("it is too long");
  return FieldReading(body).run();
}

std::string authentication_results_body(const AuthenticationResults& results,
                                        std::string_view line_end) {
  std::string text = value_text(results.authserv_id, false);
  if (results.version != AuthenticationResults::kVersion) {
    text += fmt::format(" {}", results.version);
  }
  size_t written = 0;
  for (const MethodResult& one : results.results) {
    if (!is_keyword(one.method) || !is_keyword(one.result) || ++written > kMostResults) continue;
    text += ';';
    size_t width = kLineWidth;  // the first word begins a line
    for (const std::string& word : words_of(one)) {
      const bool fold = width + 1 + word.size() > kLineWidth;
      text += fold ? fmt::format("{}{}", line_end, width == kLineWidth ? " " : "   ") : " ";
      width = (fold ? 3 : width + 1) + word.size();
      text += word;
    }
  }
  if (written == 0) text += "; none";
  return text;
}

std::string authentication_results_field(const AuthenticationResults& results,
                                         std::string_view line_end) {
  return fmt::format("Authentication-Results: {}{}", authentication_results_body(results, line_end),
                     line_end);
}

}  // namespace watchpost::auth
