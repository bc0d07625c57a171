#include "mime/address.h"

#include "base/ascii.h"
#include "mime/charset.h"
#include "mime/header.h"
#include "mime/lexer.h"
#include "mime/words.h"

#include <algorithm>
#include <utility>

namespace watchpost::mime {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_control(char c) { return (c >= 0 && c < 0x20) || c == 0x7F; }

// Bytes that end an atom. Brackets are special only where a domain is expected: "[List] Name
// <a@b>" is what people write.
bool ends_atom(char c) { return is_space(c) || std::string_view("()<>:;@\\,.\"").contains(c); }

enum class TokenKind : uint8_t { word, quoted, literal, dot, at };

struct Token {
  TokenKind kind = TokenKind::word;
  std::string text;     // quotes undone
  bool spaced = false;  // a blank or a comment stands before it
  size_t begin = 0;
};

bool is_joint(const Token& token) {
  return token.kind == TokenKind::dot || token.kind == TokenKind::at;
}

// Copied into each address of the group, so it is cut.
constexpr size_t kLongestGroup = 256;

class ListReading {
 public:
  ListReading(std::string_view body, size_t begin, Findings& findings)
      : lexer_(body), begin_(begin), findings_(findings) {}

  std::vector<Address> run() {
    read_until([] { return false; });
    return std::move(addresses_);
  }

  std::optional<Address> run_to_first() {
    const auto has_domain = [](const Address& one) { return !one.domain.empty(); };
    read_until([&] { return !addresses_.empty() && has_domain(addresses_.back()); });
    const auto first = std::ranges::find_if(addresses_, has_domain);
    if (first == addresses_.end()) return std::nullopt;
    return std::move(*first);
  }

 private:
  template <class Enough>
  void read_until(Enough enough) {
    while (!lexer_.done() && !enough()) {
      if (addresses_.size() >= kMostAddresses) {
        bad(lexer_.at());
        break;
      }
      item();
    }
    if (lexer_.unclosed()) bad(lexer_.at());
  }

  void bad(size_t at) { findings_.add(Defect::bad_address, begin_ + at); }

  // One address, one head of a group, or one separator.
  void item() {
    lexer_.forget_comment();
    collect("<>,;:");
    const size_t at = lexer_.at();
    switch (lexer_.peek()) {
      case '<': angle(); return;
      case ':':
        lexer_.skip();
        head_of_group(at);
        return;
      case ';':
        finish_bare();
        lexer_.skip();
        if (!in_group_) bad(at);
        in_group_ = false;
        group_.clear();
        return;
      case '>':
        finish_bare();
        lexer_.skip();
        bad(at);
        return;
      default:  // a comma or the end
        finish_bare();
        lexer_.skip();
    }
  }

  void head_of_group(size_t at) {
    if (has_at()) {
      bad(at);
      finish_bare();
      return;
    }
    if (in_group_ || tokens_.empty()) bad(at);
    group_ = to_utf8(phrase(tokens_.size()), "utf-8", kLongestGroup).text;
    in_group_ = true;
  }

  // Tokens up to one of `stops`, which is not taken.
  void collect(std::string_view stops) {
    tokens_.clear();
    bool spaced = false;
    while (true) {
      spaced |= lexer_.skip_blanks();
      if (lexer_.done() || stops.contains(lexer_.peek())) return;
      if (lexer_.peek() == ':' || lexer_.peek() == ')') {
        bad(lexer_.at());
        lexer_.skip();
        continue;
      }
      Token token = next_token();
      token.spaced = std::exchange(spaced, false);
      tokens_.push_back(std::move(token));
    }
  }

  Token next_token() {
    const size_t begin = lexer_.at();
    const char c = lexer_.peek();
    if (c == '"') {
      if (auto text = lexer_.quoted()) return {TokenKind::quoted, std::move(*text), false, begin};
    }
    if (c == '.' || c == '@') {
      lexer_.skip();
      return {c == '.' ? TokenKind::dot : TokenKind::at, std::string(1, c), false, begin};
    }
    if (c == '[' && !tokens_.empty() && tokens_.back().kind == TokenKind::at) return literal();
    if (c == '\\') {  // no quoted pair outside of quotes
      bad(begin);
      lexer_.skip();
      if (lexer_.done()) return {TokenKind::word, "\\", false, begin};
    }
    const std::string_view word = next_word();
    if (ends_atom(c) && c != '\\') bad(begin);
    lexer_.go_to(lexer_.at() + word.size());
    return {TokenKind::word, std::string(word), false, begin};
  }

  // Some senders have commas in an encoded word: it is one word all the same. Else the first byte
  // belongs to the word whatever it is.
  std::string_view next_word() {
    const std::string_view rest = lexer_.rest();
    const auto atom_end = std::find_if(rest.begin() + 1, rest.end(), ends_atom);
    const auto atom = static_cast<size_t>(atom_end - rest.begin());
    const size_t encoded = encoded_word_size(rest);
    if (encoded > atom) bad(lexer_.at());
    return rest.substr(0, std::max(atom, encoded));
  }

  Token literal() {
    const size_t begin = lexer_.at();
    const std::string_view rest = lexer_.rest();
    const size_t end = rest.find_first_of("]<>,", 1);
    const bool closed = end != std::string_view::npos && rest[end] == ']';
    const size_t length = std::min(closed ? end + 1 : end, rest.size());
    if (!closed) bad(begin);
    std::string text(rest.substr(0, length));
    std::erase_if(text, is_space);
    lexer_.go_to(begin + length);
    return {TokenKind::literal, std::move(text), false, begin};
  }

  bool has_at() const {
    return std::ranges::any_of(tokens_, [](const Token& t) { return t.kind == TokenKind::at; });
  }

  // The first `count` tokens as a person reads them.
  std::string phrase(size_t count) const {
    std::string text;
    for (size_t i = 0; i < count; ++i) {
      if (i > 0 && tokens_[i].spaced) text += ' ';
      text += tokens_[i].text;
    }
    return readable(text);
  }

  std::string commented_name() const { return readable(without_pairs(lexer_.comment())); }

  // An address without angle brackets: "a@b", "a@b (Name)"; or words that are none.
  void finish_bare() {
    if (tokens_.empty()) return;
    Address address;
    size_t words = tokens_.size();
    if (has_at()) {
      Taken taken = take_address();
      words = taken.before;
      if (words > 0 || !taken.good) bad(tokens_.front().begin);
      address = std::move(taken.address);
    } else {
      bad(tokens_.front().begin);
      if (take_user(address)) words = 0;
    }
    address.name = words > 0 ? phrase(words) : commented_name();
    keep(std::move(address));
  }

  // "root", "jo.doe": a user of the machine that wrote it, no name of several words. An encoded
  // word is never an address.
  bool take_user(Address& address) const {
    if (tokens_.empty() || tokens_.front().text.starts_with("=?")) return false;
    for (size_t i = 0; i < tokens_.size(); ++i) {
      if (tokens_[i].kind == TokenKind::quoted) return false;
      if (i > 0 && !joins(tokens_[i - 1], tokens_[i])) return false;
    }
    for (const Token& token : tokens_) address.local += token.text;
    return true;
  }

  struct Taken {
    Address address;
    size_t before = 0;  // tokens that stand before the address
    bool good = true;
  };

  // The address that the last "@" is of; there is one.
  Taken take_address() const {
    Taken taken;
    size_t at = tokens_.size() - 1;
    while (tokens_[at].kind != TokenKind::at) --at;
    size_t first = at;
    while (first > 0 && joins(tokens_[first - 1], tokens_[first])) --first;
    for (size_t i = first; i < at; ++i) {
      taken.address.local += tokens_[i].text;
      taken.good = taken.good && tokens_[i].kind != TokenKind::at;
    }
    size_t end = at + 1;
    while (end < tokens_.size() && joins(tokens_[end - 1], tokens_[end])) {
      taken.good = taken.good && tokens_[end].kind != TokenKind::quoted;
      taken.address.domain += tokens_[end++].text;
    }
    taken.good = taken.good && end == tokens_.size() && first < at && end > at + 1;
    taken.before = first;
    return taken;
  }

  // Whether two tokens are of one address: a dot or an "@" is between words (RFC 5322 section 4.4
  // has blanks around them).
  static bool joins(const Token& left, const Token& right) {
    return is_joint(left) || is_joint(right);
  }

  // At "<", the words before it in tokens_.
  void angle() {
    const size_t begin = lexer_.at();
    Address named{.name = phrase(tokens_.size())};
    std::optional<Address> other = address_before_angle();
    if (!other && has_at()) bad(begin);
    lexer_.skip();
    skip_route();
    collect("<>,;");
    take_angle(named, begin);
    if (lexer_.peek() == '>') {
      lexer_.skip();
    } else {
      bad(begin);
    }
    behind_angle();
    // Many write the address twice. Two that differ are two addresses: nobody knows which one a
    // reader takes.
    if (other && !equal_nocase(other->text(), named.text())) {
      bad(begin);
      keep(std::move(*other));
      named.name.clear();
    }
    if (named.name.empty()) named.name = commented_name();
    keep(std::move(named));
  }

  // Words before the bracket that are an address themselves: "a@b <c@d>".
  std::optional<Address> address_before_angle() const {
    if (!has_at()) return std::nullopt;
    Taken taken = take_address();
    if (!taken.good || taken.before > 0) return std::nullopt;
    return std::move(taken.address);
  }

  // What stands in the brackets, in tokens_. Nothing is the null address, which has no name.
  void take_angle(Address& named, size_t begin) {
    if (has_at()) {
      Taken taken = take_address();
      named.local = std::move(taken.address.local);
      named.domain = std::move(taken.address.domain);
      if (taken.before > 0 || !taken.good) bad(begin);
      return;
    }
    take_user(named);
    if (!tokens_.empty() || !named.name.empty()) bad(begin);
  }

  // "@a,@b:" before the address (RFC 5322 section 4.4).
  void skip_route() {
    lexer_.skip_blanks();
    if (lexer_.peek() != '@') return;
    const std::string_view rest = lexer_.rest();
    const size_t end = rest.find_first_of(":<>");
    if (end != std::string_view::npos && rest[end] == ':') lexer_.go_to(lexer_.at() + end + 1);
  }

  void behind_angle() {
    lexer_.skip_blanks();
    if (lexer_.done()) return;
    if (lexer_.peek() == ',') {
      lexer_.skip();
    } else if (lexer_.peek() != ';') {
      bad(lexer_.at());  // whatever it is, it is read as an address of its own
    }
  }

  void keep(Address address) {
    if (address.name.empty() && address.local.empty() && address.domain.empty()) return;
    address.group = group_;
    for (std::string* part : {&address.local, &address.domain}) {
      if (std::ranges::any_of(*part, is_control)) bad(lexer_.at());
      if (is_utf8(*part)) continue;
      bad(lexer_.at());
      *part = to_utf8(*part, {}, 4 * part->size()).text;
    }
    addresses_.push_back(std::move(address));
  }

  Lexer lexer_;
  size_t begin_;
  Findings& findings_;
  std::vector<Token> tokens_;
  std::vector<Address> addresses_;
  std::string group_;
  bool in_group_ = false;
};

// Whether a local part may stand without quotes: a dot-atom (RFC 5322 section 3.4.1).
bool is_dot_atom(std::string_view local) {
  if (local.empty() || local.front() == '.' || local.back() == '.') return false;
  for (size_t i = 0; i < local.size(); ++i) {
    const char c = local[i];
    if (c == '.' ? local[i - 1] == '.' : ends_atom(c) || is_control(c) || c == '[' || c == ']') {
      return false;
    }
  }
  return true;
}

}  // namespace

std::string Address::text() const {
  if (local.empty() && domain.empty()) return {};
  std::string text;
  if (is_dot_atom(local)) {
    text = local;
  } else {
    text = '"';
    for (const char c : local) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text += '"';
  }
  return domain.empty() ? text : text + '@' + domain;
}

std::vector<Address> read_addresses(std::string_view body, size_t begin, Findings& findings) {
  return ListReading(body, begin, findings).run();
}

std::vector<Address> read_addresses(std::string_view body) {
  Findings findings;
  return read_addresses(body, 0, findings);
}

std::optional<Address> first_address(std::string_view body) {
  Findings findings;
  return ListReading(body, 0, findings).run_to_first();
}

}  // namespace watchpost::mime
