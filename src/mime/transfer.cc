#include "mime/transfer.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <utility>

namespace watchpost::mime {
namespace {

// ---- base64 (RFC 2045 section 6.8)

constexpr uint8_t kBlank = 0x40, kPad = 0x41, kOther = 0x42;  // letters are below

constexpr std::array<uint8_t, 256> kBase64 = [] {
  constexpr std::string_view letters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::array<uint8_t, 256> table{};
  table.fill(kOther);
  for (size_t i = 0; i < letters.size(); ++i) {
    table[static_cast<unsigned char>(letters[i])] = static_cast<uint8_t>(i);
  }
  for (const char blank : {' ', '\t', '\r', '\n'})
    table[static_cast<unsigned char>(blank)] = kBlank;
  table['='] = kPad;
  return table;
}();

uint8_t letter_of(char c) { return kBase64[static_cast<unsigned char>(c)]; }

class Base64 {
 public:
  Base64(std::string_view body, size_t begin, Findings& findings)
      : body_(body), begin_(begin), findings_(findings) {}

  // Fills `room`; gives how many bytes it wrote.
  size_t decode(std::span<char> room) {
    room_ = room;
    for (size_t at = 0; at < body_.size() && !full_;) {
      if (pending_ == 0) at = whole_groups(at);
      if (at < body_.size()) take(at++);
    }
    if (!full_) finish();
    return written_;
  }

 private:
  // Groups of four letters from `at` on, as many as stand there without anything between them.
  size_t whole_groups(size_t at) {
    if (ended_) return at;
    while (body_.size() - at >= 4 && room_.size() - written_ >= 3) {
      const uint8_t a = letter_of(body_[at]), b = letter_of(body_[at + 1]);
      const uint8_t c = letter_of(body_[at + 2]), d = letter_of(body_[at + 3]);
      if ((a | b | c | d) >= kBlank) break;
      room_[written_] = static_cast<char>((a << 2) | (b >> 4));
      room_[written_ + 1] = static_cast<char>((b << 4) | (c >> 2));
      room_[written_ + 2] = static_cast<char>((c << 6) | d);
      written_ += 3;
      at += 4;
    }
    return at;
  }

  void take(size_t at) {
    const uint8_t letter = letter_of(body_[at]);
    if (letter == kBlank) return;
    if (letter == kPad) return pad(at);
    if (letter == kOther) return other(at);
    if (ended_) {
      findings_.add(Defect::base64_after_padding, begin_ + at);
      ended_ = false;
      pads_due_ = 0;
    }
    bits_ = (bits_ << 6) | letter;
    if (++pending_ == 4) emit(3, at);
  }

  // One finding for each run of them.
  void other(size_t at) {
    if (behind_other_ != at) findings_.add(Defect::bad_base64, begin_ + at);
    behind_other_ = at + 1;
  }

  void pad(size_t at) {
    if (ended_ && pads_due_ > 0) {
      --pads_due_;
    } else if (pending_ < 2) {
      findings_.add(Defect::bad_base64, begin_ + at);
      pending_ = 0;
    } else {
      pads_due_ = 3 - pending_;
      ended_ = true;
      bits_ <<= 6 * (4 - pending_);
      emit(pending_ - 1, at);
    }
  }

  void finish() {
    const bool cut = pending_ != 0 || (ended_ && pads_due_ > 0);
    if (cut) findings_.add(Defect::bad_base64, begin_ + body_.size());
    if (pending_ < 2) return;
    bits_ <<= 6 * (4 - pending_);
    emit(pending_ - 1, body_.size());
  }

  // The upper bytes of the 24 bits collected.
  void emit(unsigned count, size_t at) {
    for (unsigned i = 0; i < count; ++i) {
      if (written_ == room_.size()) {
        full_ = true;
        findings_.add(Defect::decoded_too_large, begin_ + at);
        break;
      }
      room_[written_++] = static_cast<char>(bits_ >> (16 - 8 * i));
    }
    pending_ = 0;
    bits_ = 0;
  }

  std::string_view body_;
  size_t begin_;
  Findings& findings_;
  std::span<char> room_;
  size_t written_ = 0;
  uint32_t bits_ = 0;
  unsigned pending_ = 0;   // letters in bits_
  unsigned pads_due_ = 0;  // that the padding still lacks
  bool ended_ = false;     // padding came
  bool full_ = false;
  size_t behind_other_ = SIZE_MAX;  // where the last run of strange bytes ended
};

std::string base64_decoded(std::string_view body, size_t begin, size_t most, Findings& findings) {
  std::string out;
  // Three bytes for each group of four that has begun.
  const size_t room = std::min(body.size() / 4 * 3 + 3, most);
  // Its second argument may be the capacity: libstdc++ 12.
  out.resize_and_overwrite(
      room, [&](char* data, size_t) { return Base64(body, begin, findings).decode({data, room}); });
  return out;
}

// ---- what is decoded line by line

struct Line {
  std::string_view text;  // without its end
  std::string_view end;   // CRLF, LF or nothing
};

Line line_at(std::string_view body, size_t at) {
  const size_t feed = body.find('\n', at);
  if (feed == std::string_view::npos) return {body.substr(at), {}};
  const size_t end = feed > at && body[feed - 1] == '\r' ? feed - 1 : feed;
  return {body.substr(at, end - at), body.substr(end, feed + 1 - end)};
}

// Appends up to a size.
class Output {
 public:
  Output(size_t most, Findings& findings) : most_(most), findings_(findings) {}

  void add(std::string_view bytes, size_t at) {
    const size_t room = most_ - text_.size();
    text_.append(bytes.substr(0, room));
    if (bytes.size() > room) refuse(at);
  }
  void add(char byte, size_t at) {
    if (text_.size() < most_) {
      text_ += byte;
    } else {
      refuse(at);
    }
  }
  void reserve(size_t size) { text_.reserve(std::min(size, most_)); }
  bool full() const { return full_; }
  std::string take() { return std::move(text_); }

 private:
  void refuse(size_t at) {
    if (!full_) findings_.add(Defect::decoded_too_large, at);
    full_ = true;
  }

  size_t most_;
  Findings& findings_;
  std::string text_;
  bool full_ = false;
};

// ---- quoted-printable (RFC 2045 section 6.7)

constexpr std::array<uint8_t, 256> kHex = [] {
  std::array<uint8_t, 256> table{};
  table.fill(0xFF);
  for (uint8_t i = 0; i < 10; ++i) table[static_cast<size_t>('0' + i)] = i;
  for (uint8_t i = 0; i < 6; ++i) {
    table[static_cast<size_t>('A' + i)] = static_cast<uint8_t>(10 + i);
    table[static_cast<size_t>('a' + i)] = static_cast<uint8_t>(10 + i);
  }
  return table;
}();

uint8_t hex_of(char c) { return kHex[static_cast<unsigned char>(c)]; }

std::string_view without_trailing_blanks(std::string_view text) {
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

// `text` is a line without blanks at its end and without a soft line break.
void add_quoted(std::string_view text, size_t begin, Output& out, Findings& findings) {
  for (size_t at = 0; at < text.size() && !out.full();) {
    const size_t sign = std::min(text.find('=', at), text.size());
    out.add(text.substr(at, sign - at), begin + at);
    if (sign == text.size()) return;
    const bool whole = text.size() - sign > 2;
    const uint8_t high = whole ? hex_of(text[sign + 1]) : 0xFF;
    const uint8_t low = whole ? hex_of(text[sign + 2]) : 0xFF;
    if (high > 15 || low > 15) {
      findings.add(Defect::bad_quoted_printable, begin + sign);
      out.add('=', begin + sign);
      at = sign + 1;
    } else {
      out.add(static_cast<char>((high << 4) | low), begin + sign);
      at = sign + 3;
    }
  }
}

std::string quoted_decoded(std::string_view body, size_t begin, size_t most, Findings& findings) {
  Output out(most, findings);
  out.reserve(body.size());
  for (size_t at = 0; at < body.size() && !out.full();) {
    const Line line = line_at(body, at);
    // Blanks at the end of a line came on the way (rule 3).
    std::string_view text = without_trailing_blanks(line.text);
    const bool soft = text.ends_with('=');
    if (soft) text.remove_suffix(1);
    add_quoted(text, begin + at, out, findings);
    at += line.text.size() + line.end.size();
    if (!soft) out.add(line.end, begin + at);
  }
  return out.take();
}

// ---- uuencode (POSIX, uuencode utility)

bool begins_file(std::string_view line) {
  if (!line.starts_with("begin ")) return false;
  const std::string_view mode = line.substr(6, line.find(' ', 6) - 6);
  return mode.size() >= 3 && mode.size() <= 4 &&
         mode.find_first_not_of("01234567") == std::string_view::npos;
}

// One line of a file. Blanks that were cut off its end on the way count as zeros, within a group of
// letters that has begun: no more comes out than went in.
void add_uu_line(std::string_view line, size_t begin, Output& out, Findings& findings) {
  const auto value = [&](size_t i) -> unsigned {
    return i < line.size() ? (static_cast<unsigned char>(line[i]) - 0x20u) & 0x3F : 0;
  };
  const size_t length = value(0);
  const size_t letters = (length + 2) / 3 * 4;
  const std::string_view read = line.substr(0, letters + 1);
  const bool odd = std::ranges::any_of(read, [](char c) { return c < 0x20 || c > 0x60; });
  size_t left = length;
  for (size_t at = 1; left > 0 && at < line.size(); at += 4) {
    const uint32_t bits =
        (value(at) << 18) | (value(at + 1) << 12) | (value(at + 2) << 6) | value(at + 3);
    for (unsigned i = 0; i < 3 && left > 0; ++i, --left) {
      out.add(static_cast<char>(bits >> (16 - 8 * i)), begin);
    }
  }
  if (odd || left > 0) findings.add(Defect::bad_encoding, begin);
}

std::string uu_decoded(std::string_view body, size_t begin, size_t most, Findings& findings) {
  Output out(most, findings);
  bool inside = false, found = false;
  for (size_t at = 0; at < body.size() && !out.full();) {
    const Line line = line_at(body, at);
    if (!inside) {
      inside = begins_file(line.text);
      found = found || inside;
    } else if (without_trailing_blanks(line.text) == "end") {
      inside = false;
    } else {
      add_uu_line(line.text, begin + at, out, findings);
    }
    at += line.text.size() + line.end.size();
  }
  if (inside && !out.full()) findings.add(Defect::bad_encoding, begin + body.size());
  if (!found) {
    findings.add(Defect::bad_encoding, begin);
    out.add(body, begin);
  }
  return out.take();
}

std::string as_it_is(std::string_view body, size_t begin, size_t most, Findings& findings) {
  if (body.size() > most) findings.add(Defect::decoded_too_large, begin + most);
  return std::string(body.substr(0, most));
}

// The first word, comments (RFC 5322 section 3.2.2) and quotes aside, in lower case.
std::string first_word(std::string_view body) {
  constexpr size_t kLongest = 40;
  std::string word;
  size_t comments = 0;
  for (const char c : body) {
    if (c == '(') {
      ++comments;
    } else if (c == ')' && comments > 0) {
      --comments;
    } else if (comments == 0) {
      const bool blank = c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '"';
      if (c == ';' || (blank && !word.empty()) || word.size() > kLongest) break;
      if (!blank) word += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    }
  }
  return word;
}

}  // namespace

std::string_view name_of(Encoding encoding) {
  switch (encoding) {
    case Encoding::identity: return "identity";
    case Encoding::base64: return "base64";
    case Encoding::quoted_printable: return "quoted-printable";
    case Encoding::uuencode: return "uuencode";
  }
  return "";
}

std::optional<Encoding> read_encoding(std::string_view field_body) {
  using enum Encoding;
  constexpr std::array<std::pair<std::string_view, Encoding>, 9> kNames{
      {{"7bit", identity},
       {"8bit", identity},
       {"binary", identity},
       {"base64", base64},
       {"quoted-printable", quoted_printable},
       {"x-uuencode", uuencode},
       {"uuencode", uuencode},
       {"x-uue", uuencode},
       {"uue", uuencode}}};
  const std::string word = first_word(field_body);
  for (const auto& [name, encoding] : kNames) {
    if (word == name) return encoding;
  }
  return std::nullopt;
}

std::string decoded(std::string_view body, Encoding encoding, size_t begin, size_t most,
                    Findings& findings) {
  switch (encoding) {
    case Encoding::identity: break;
    case Encoding::base64: return base64_decoded(body, begin, most, findings);
    case Encoding::quoted_printable: return quoted_decoded(body, begin, most, findings);
    case Encoding::uuencode: return uu_decoded(body, begin, most, findings);
  }
  return as_it_is(body, begin, most, findings);
}

std::string decoded(std::string_view body, Encoding encoding, size_t most) {
  Findings unasked;
  return decoded(body, encoding, 0, most, unasked);
}

}  // namespace watchpost::mime
