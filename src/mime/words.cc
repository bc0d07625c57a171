#include "mime/words.h"

#include "base/ascii.h"
#include "mime/charset.h"
#include "mime/header.h"
#include "mime/utf8.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

namespace watchpost::mime {
namespace {

constexpr size_t kLongestCharset = 75;  // RFC 2047 section 2: of a whole encoded word

struct EncodedWord {
  std::string_view charset;  // without its language
  bool base64 = false;
  std::string_view text;
  size_t begin = 0, end = 0;
};

// The piece before the text: "=?charset*language?B?".
struct Opening {
  std::string_view charset;
  char encoding = 0;
  size_t text = 0;  // where the text begins
};

bool is_blank(char c) { return c == ' ' || c == '\t'; }

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

std::optional<Opening> opening_at(std::string_view line, size_t at) {
  if (line.substr(at, 2) != "=?") return std::nullopt;
  size_t end = at + 2;
  const size_t last = std::min(line.size(), end + kLongestCharset);
  while (end < last && line[end] != '?' && line[end] != '=' && !is_blank(line[end])) ++end;
  if (end + 2 >= line.size() || line[end] != '?' || line[end + 2] != '?') return std::nullopt;
  std::string_view charset = line.substr(at + 2, end - at - 2);
  charset = charset.substr(0, charset.find('*'));  // RFC 2231 section 5
  return Opening{charset, line[end + 1], end + 3};
}

// What comes out of encoded words that stand side by side: one text, since a character may be
// split between two of them.
class WordRun {
 public:
  bool empty() const { return !open_; }
  std::string_view charset() const { return charset_; }
  const std::string& bytes() const { return bytes_; }

  // False where the text is not as its encoding has it; it is read all the same.
  bool add(const EncodedWord& word) {
    open_ = true;
    charset_ = word.charset;
    return word.base64 ? add_base64(word.text) : add_quoted(word.text);
  }
  void clear() {
    open_ = false;
    bytes_.clear();
    pending_bits_ = 0;
  }

 private:
  // Some senders cut the base64 of a whole text into words anywhere: then a word ends with bits
  // that belong to the next one. A word that ends by itself leaves zeros.
  bool add_base64(std::string_view text) {
    if (pending_bits_ != 6 && pending_ == 0) pending_bits_ = 0;
    bool good = true;
    for (const char c : text) {
      const int value = base64_value(c);
      if (c == '=') {
        pending_bits_ = 0;
      } else if (value >= 0) {
        push(static_cast<uint32_t>(value));
      } else {
        good = false;
      }
    }
    return good;
  }

  void push(uint32_t six) {
    pending_ = ((pending_ << 6) | six) & 0xFFFF;
    pending_bits_ += 6;
    if (pending_bits_ >= 8) {
      pending_bits_ -= 8;
      bytes_ += static_cast<char>(pending_ >> pending_bits_);
      pending_ &= (1u << pending_bits_) - 1;
    }
  }

  bool add_quoted(std::string_view text) {
    pending_bits_ = 0;
    bool good = true;
    for (size_t at = 0; at < text.size(); ++at) {
      const char c = text[at];
      if (c == '=' && at + 2 < text.size() && hex_value(text[at + 1]) >= 0 &&
          hex_value(text[at + 2]) >= 0) {
        bytes_ += static_cast<char>(hex_value(text[at + 1]) * 16 + hex_value(text[at + 2]));
        at += 2;
        continue;
      }
      good = good && c != '=' && !is_blank(c);
      bytes_ += c == '_' ? ' ' : c;
    }
    return good;
  }

  bool open_ = false;
  std::string charset_;
  std::string bytes_;
  uint32_t pending_ = 0;
  unsigned pending_bits_ = 0;
};

class Reading {
 public:
  Reading(std::string_view body, size_t begin, Findings& findings)
      : body_(body), begin_(begin), findings_(findings), line_(unfolded(body)) {}

  std::string run() {
    if (ascii_prefix(line_) == line_.size() && line_.find("=?") == std::string::npos) {
      return std::move(line_);
    }
    const std::string_view line = line_;
    size_t literal = 0;  // where what stands for itself begins
    for (size_t at = line.find("=?"); at != std::string_view::npos; at = line.find("=?", at)) {
      const auto word = word_at(at);
      if (!word) {
        at += 2;
        continue;
      }
      put_between(line.substr(literal, at - literal));
      if (!run_.empty() && !equal_nocase(run_.charset(), word->charset)) flush(at);
      if (!run_.add(*word)) add(Defect::bad_encoded_word, at);
      at = literal = word->end;
    }
    flush(literal);
    put(line.substr(literal), literal);
    return std::move(out_);
  }

 private:
  std::optional<EncodedWord> word_at(size_t at) {
    const std::string_view line = line_;
    const auto opening = opening_at(line, at);
    if (!opening) return std::nullopt;
    const char encoding = opening->encoding;
    const bool base64 = encoding == 'B' || encoding == 'b';
    const size_t end = end_after(opening->text);
    if ((!base64 && encoding != 'Q' && encoding != 'q') || end == std::string_view::npos ||
        another_opens(opening->text, end)) {
      add(Defect::bad_encoded_word, at);
      return std::nullopt;
    }
    return EncodedWord{opening->charset, base64, line.substr(opening->text, end - opening->text),
                       at, end + 2};
  }

  // The next "?=". Asked from left to right, so the line is searched once.
  size_t end_after(size_t at) {
    if (next_end_ != std::string_view::npos && next_end_ < at) {
      next_end_ = std::string_view(line_).find("?=", at);
    }
    return next_end_;
  }

  // Whether a word begins within this one: then this one was never closed.
  bool another_opens(size_t at, size_t end) const {
    const std::string_view line = line_;
    for (size_t next = line.find("=?", at); next < end && next + 1 != end;
         next = line.find("=?", next + 1)) {
      if (opening_at(line, next)) return true;
    }
    return false;
  }

  // Blanks between two encoded words are none (RFC 2047 section 6.2).
  void put_between(std::string_view text) {
    const size_t at = static_cast<size_t>(text.data() - line_.data());
    if (!run_.empty() && std::ranges::all_of(text, is_blank)) return;
    flush(at);
    put(text, at);
  }

  void put(std::string_view text, size_t at) {
    if (ascii_prefix(text) == text.size()) {
      out_ += text;
    } else {
      convert(text, {}, at);
    }
  }

  void flush(size_t at) {
    if (!run_.empty()) convert(run_.bytes(), run_.charset(), at);
    run_.clear();
  }

  void convert(std::string_view bytes, std::string_view charset, size_t at) {
    const Utf8Text text = to_utf8(bytes, charset, 4 * bytes.size());
    out_ += text.text;
    if (!text.known) add(Defect::unknown_charset, at);
    if (!text.clean) add(Defect::bad_charset_bytes, at);
  }

  // Each defect once in a body, at the byte of the body that stands at `at` of the line.
  void add(Defect what, size_t at) {
    const uint64_t bit = uint64_t{1} << static_cast<unsigned>(what);
    if ((reported_ & bit) != 0) return;
    reported_ |= bit;
    size_t place = std::min(body_.find_first_not_of(" \t\r\n"), body_.size());
    for (size_t left = at; place < body_.size() && (left > 0 || is_line_end(body_[place]));
         ++place) {
      if (!is_line_end(body_[place])) --left;
    }
    findings_.add(what, begin_ + place);
  }
  static bool is_line_end(char c) { return c == '\r' || c == '\n'; }

  std::string_view body_;
  size_t begin_;
  Findings& findings_;
  std::string line_;
  std::string out_;
  WordRun run_;
  size_t next_end_ = 0;
  uint64_t reported_ = 0;
};

}  // namespace

size_t encoded_word_size(std::string_view text) {
  constexpr size_t kLongest = 500;
  const auto opening = opening_at(text, 0);
  if (!opening || !std::string_view("BbQq").contains(opening->encoding)) return 0;
  const std::string_view near = text.substr(0, kLongest);
  const size_t end = near.find("?=", opening->text);
  if (end == std::string_view::npos) return 0;
  const std::string_view word = near.substr(0, end + 2);
  return word.find_first_of(" \t\r\n\"<>") == std::string_view::npos ? word.size() : 0;
}

std::string readable(std::string_view body, size_t begin, Findings& findings) {
  return Reading(body, begin, findings).run();
}

std::string readable(std::string_view body) {
  Findings findings;
  return readable(body, 0, findings);
}

}  // namespace watchpost::mime
