#include "auth/spf/macro.h"

#include "base/ascii.h"
#include "dns/name.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

namespace watchpost::auth {
namespace {

constexpr std::string_view kLetters = "slodiphcrtv";
constexpr std::string_view kExplanationLetters = "crt";
constexpr std::string_view kDelimiters = ".-+,/_=";
// As many labels as no name has: more digits than that mean the same.
constexpr size_t kMostLabels = 65536;

bool is_letter(char c) { return to_lower(c) >= 'a' && to_lower(c) <= 'z'; }
bool is_alphanumeric(char c) { return is_letter(c) || is_digit(c); }

// Reads a macro-string from its beginning to its end.
class Reader {
 public:
  Reader(std::string_view text, SpfMacroUse use) : text_(text), use_(use) {}

  // What stands behind the last macro or escape; after read().
  std::string_view behind_last_macro() const { return text_.substr(macro_end_); }

  std::expected<SpfMacroString, std::string> read() {
    SpfMacroString made;
    made.text = std::string(text_);
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '%') {
        if (!read_expansion(made)) return std::unexpected(wrong_);
        macro_end_ = at_;
      } else if ((c > ' ' && c < 0x7F) || (c == ' ' && use_ == SpfMacroUse::explanation)) {
        literal(made) += c;
        ++at_;
      } else {
        return std::unexpected(
            fmt::format("byte 0x{:02x} is not allowed", static_cast<unsigned char>(c)));
      }
    }
    return made;
  }

 private:
  static std::string& literal(SpfMacroString& made) {
    if (made.pieces.empty() || made.pieces.back().letter != 0) made.pieces.emplace_back();
    return made.pieces.back().literal;
  }

  bool wrong(std::string what) {
    wrong_ = std::move(what);
    return false;
  }

  bool read_expansion(SpfMacroString& made) {
    const char kind = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    at_ += 2;
    switch (kind) {
      case '%': literal(made) += '%'; return true;
      case '_': literal(made) += ' '; return true;
      case '-': literal(made) += "%20"; return true;
      case '{': return read_macro(made);
      default: return wrong("a % needs one of {, %, _ or - behind it");
    }
  }

  bool read_macro(SpfMacroString& made) {
    SpfMacroString::Piece piece;
    if (at_ == text_.size()) return wrong("a macro has no end");
    const char letter = text_[at_++];
    piece.letter = to_lower(letter);
    piece.url_escape = piece.letter != letter;
    if (!kLetters.contains(piece.letter)) return wrong("there is no such macro letter");
    if (use_ == SpfMacroUse::domain && kExplanationLetters.contains(piece.letter)) {
      return wrong(fmt::format("%{{{}}} is for explanations only", piece.letter));
    }
    if (!read_labels(piece)) return false;
    if (at_ < text_.size() && to_lower(text_[at_]) == 'r') {
      piece.reverse = true;
      ++at_;
    }
    while (at_ < text_.size() && kDelimiters.contains(text_[at_])) {
      piece.delimiters += text_[at_++];
    }
    if (at_ == text_.size() || text_[at_] != '}') return wrong("a macro is not well formed");
    ++at_;
    if (piece.delimiters.empty()) piece.delimiters = ".";
    made.pieces.push_back(std::move(piece));
    return true;
  }

  bool read_labels(SpfMacroString::Piece& piece) {
    const size_t begin = at_;
    for (; at_ < text_.size() && is_digit(text_[at_]); ++at_) {
      const auto digit = static_cast<size_t>(text_[at_] - '0');
      piece.labels = std::min(piece.labels * 10 + digit, kMostLabels);
    }
    if (at_ > begin && piece.labels == 0) return wrong("a macro keeps no label at all");
    return true;
  }

  std::string_view text_;
  SpfMacroUse use_;
  size_t at_ = 0;
  size_t macro_end_ = 0;
  std::string wrong_;
};

// toplabel: letters, digits and inner hyphens, not digits alone.
bool is_top_label(std::string_view label) {
  if (label.empty() ||
      !std::ranges::all_of(label, [](char c) { return is_alphanumeric(c) || c == '-'; })) {
    return false;
  }
  if (label.front() == '-' || label.back() == '-') return false;
  return !std::ranges::all_of(label, is_digit);
}

bool ends_as_domain(std::string_view literal) {
  if (literal.ends_with('.')) literal.remove_suffix(1);
  const size_t dot = literal.rfind('.');
  return dot != std::string_view::npos && is_top_label(literal.substr(dot + 1));
}

std::string nibbles_of(const IpAddress& ip) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string made;
  for (const uint8_t byte : ip.bytes) {
    if (!made.empty()) made += '.';
    made += kHex[byte >> 4];
    made += '.';
    made += kHex[byte & 0xF];
  }
  return made;
}

std::string value_of(char letter, const SpfMacroValues& values) {
  switch (letter) {
    case 's': return std::string(values.sender);
    case 'l': return std::string(values.local_part);
    case 'o': return std::string(values.sender_domain);
    case 'd': return std::string(values.domain);
    case 'i': return values.ip.v6 ? nibbles_of(values.ip) : values.ip.text();
    case 'p': return std::string(values.validated_name);
    case 'h': return std::string(values.helo);
    case 'c': return values.ip.text();
    case 'r': return std::string(values.receiver.empty() ? "unknown" : values.receiver);
    case 't':
      return std::to_string(
          std::chrono::floor<std::chrono::seconds>(values.now).time_since_epoch().count());
    case 'v': return values.ip.v6 ? "ip6" : "in-addr";
    default: return "";
  }
}

std::string transformed(const std::string& value, const SpfMacroString::Piece& piece) {
  std::vector<std::string_view> parts;
  for (size_t at = 0;;) {
    const size_t next = value.find_first_of(piece.delimiters, at);
    parts.push_back(std::string_view(value).substr(at, next - at));
    if (next == std::string::npos) break;
    at = next + 1;
  }
  if (piece.reverse) std::ranges::reverse(parts);
  const bool all = piece.labels == 0 || piece.labels >= parts.size();
  const size_t from = all ? 0 : parts.size() - piece.labels;
  std::string made;
  for (size_t i = from; i < parts.size(); ++i) {
    if (i > from) made += '.';
    made += parts[i];
  }
  return made;
}

// All but the unreserved characters of RFC 3986 section 2.3.
std::string url_escaped(std::string_view text) {
  std::string made;
  for (const char c : text) {
    if (is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      made += c;
    } else {
      made += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return made;
}

}  // namespace

bool SpfMacroString::uses(char letter) const {
  return std::ranges::any_of(pieces, [&](const Piece& piece) { return piece.letter == letter; });
}

std::expected<SpfMacroString, std::string> parse_spf_macro_string(std::string_view text,
                                                                  SpfMacroUse use) {
  return Reader(text, use).read();
}

std::expected<SpfMacroString, std::string> parse_spf_domain(std::string_view text) {
  Reader reader(text, SpfMacroUse::domain);
  auto made = reader.read();
  if (!made) return made;
  if (made->pieces.empty()) return std::unexpected("a domain is missing");
  const std::string_view end = reader.behind_last_macro();
  if (!end.empty() && !ends_as_domain(end)) {
    return std::unexpected("it does not end in a top-level domain");
  }
  return made;
}

std::optional<std::string> expand_spf_macros(const SpfMacroString& macros,
                                             const SpfMacroValues& values) {
  std::string made;
  for (const SpfMacroString::Piece& piece : macros.pieces) {
    if (piece.letter == 0) {
      made += piece.literal;
    } else {
      const std::string value = transformed(value_of(piece.letter, values), piece);
      made += piece.url_escape ? url_escaped(value) : value;
    }
    if (made.size() > kLongestSpfExpansion) return std::nullopt;
  }
  return made;
}

std::optional<std::string> expand_spf_domain(const SpfMacroString& macros,
                                             const SpfMacroValues& values) {
  auto made = expand_spf_macros(macros, values);
  if (!made) return made;
  if (made->ends_with('.')) made->pop_back();
  size_t from = 0;
  while (made->size() - from > dns::kLongestName) {
    const size_t dot = made->find('.', from);
    if (dot == std::string::npos) break;
    from = dot + 1;
  }
  made->erase(0, from);
  return made;
}

}  // namespace watchpost::auth
