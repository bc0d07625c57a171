#include "feedback/reports/report_text.h"

#include "base/ascii.h"
#include "base/text.h"
#include "mime/charset.h"
#include "mime/utf8.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace watchpost::feedback {
namespace {

bool is_blank(char c) { return static_cast<unsigned char>(c) <= ' ' || c == '\x7F'; }
bool is_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (to_lower(c) >= 'a' && to_lower(c) <= 'z') ||
         static_cast<unsigned char>(c) >= 0x80;
}
constexpr auto kLocalPart = [] {
  std::array<bool, 256> in{};
  for (const char c : std::string_view(".!#$%&'*+/=?^_`{|}~-\\")) in[static_cast<size_t>(c)] = true;
  return in;
}();
bool in_local_part(char c) {
  return is_letter_or_digit(c) || kLocalPart[static_cast<unsigned char>(c)];
}
bool in_domain(char c) {
  return is_letter_or_digit(c) || c == '.' || c == '-' || c == '_' || c == '#';
}

// Controls and what is no character are a blank.
void put_character(std::string& out, uint32_t point) {
  const bool none = point < 0x20 || (point >= 0xD800 && point < 0xE000) || point > 0x10FFFF;
  mime::append_utf8(out, none ? ' ' : point);
}

// Names before an address that are glued to it: "SMTP=kim@example.com" of an X.400 address.
constexpr std::string_view kGlued[] = {"smtp=", "rfc-822=", "rfc822=", "mailto:", "smtp:"};

size_t local_begin(std::string_view line, size_t at) {
  if (at > 0 && line[at - 1] == '"') {
    const size_t first = at > 130 ? at - 130 : 0;
    const size_t open = line.substr(first, at - 1 - first).rfind('"');
    if (open != std::string_view::npos) return first + open;
  }
  size_t begin = at;
  while (begin > 0 && in_local_part(line[begin - 1]) && at - begin < 200) --begin;
  // "=?" begins an encoded word.
  while (begin < at && std::string_view("'.*=/`").find(line[begin]) != std::string_view::npos &&
         !line.substr(begin).starts_with("=?")) {
    ++begin;
  }
  for (const std::string_view glued : kGlued) {
    if (starts_with_nocase(line.substr(begin, at - begin), glued)) begin += glued.size();
  }
  return begin;
}

size_t domain_end(std::string_view line, size_t at) {
  size_t end = at + 1;
  if (end < line.size() && line[end] == '[') {
    const size_t close = line.substr(end, 64).find(']');
    if (close != std::string_view::npos) return end + close + 1;
  }
  while (end < line.size() && in_domain(line[end]) && end - at < 256) ++end;
  while (end > at + 1 && std::string_view(".-_").find(line[end - 1]) != std::string_view::npos) {
    --end;
  }
  return end;
}

// Nothing in it but single blanks and what can be seen.
bool is_one_line(std::string_view text) {
  char before = ' ';
  for (const char c : text) {
    if (is_blank(c) && (c != ' ' || before == ' ')) return false;
    before = c;
  }
  return true;
}

}  // namespace

std::string one_line(std::string_view text, size_t most) {
  text = trim(text.substr(0, most * 4));
  std::string recoded;
  if (text.find("\x1B$") != std::string_view::npos) {
    recoded = mime::to_utf8(text, "iso-2022-jp", most * 4).text;
    text = recoded;
  } else if (!mime::is_utf8(text)) {
    recoded = mime::to_utf8(text, "", most * 4).text;
    text = recoded;
  }
  if (text.size() <= most && is_one_line(text)) return std::string(text);
  std::string line;
  line.reserve(std::min(text.size(), most));
  for (const char c : text) {
    if (line.size() >= most) break;
    if (!is_blank(c)) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  if (line.size() >= most) {  // not within a character
    while (!line.empty() && (static_cast<unsigned char>(line.back()) & 0xC0) == 0x80) {
      line.pop_back();
    }
    if (!line.empty() && static_cast<unsigned char>(line.back()) >= 0xC0) line.pop_back();
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

std::vector<AddressInText> addresses_in(std::string_view line) {
  constexpr size_t kMost = 50;
  std::vector<AddressInText> found;
  size_t behind = 0;
  for (size_t at = line.find('@'); at != std::string_view::npos && found.size() < kMost;
       at = line.find('@', std::max(at + 1, behind))) {
    const size_t begin = std::max(local_begin(line, at), behind);
    const size_t end = domain_end(line, at);
    if (begin >= at || end == at + 1) continue;
    AddressInText address{line.substr(begin, end - begin), begin, end};
    if (begin > behind && (line[begin - 1] == '<' || line[begin - 1] == '"')) --address.begin;
    if (end < line.size() && (line[end] == '>' || line[end] == '"')) ++address.end;
    behind = address.end;
    found.push_back(address);
  }
  return found;
}

std::string report_address(std::string_view value) {
  value = trim(value.substr(0, kMostReportText));
  const size_t semicolon = value.find(';');
  std::string_view kind;
  if (semicolon != std::string_view::npos && value.find('@') > semicolon) {
    kind = trim(value.substr(0, semicolon));
    value = trim(value.substr(semicolon + 1));
  }
  std::string undone;
  if (equal_nocase(kind, "utf-8")) {
    for (size_t at = 0; at < value.size();) {
      const bool escape = value.substr(at).starts_with("\\x{");
      const size_t close = escape ? value.find('}', at) : std::string_view::npos;
      uint32_t point = 0;
      if (close != std::string_view::npos &&
          std::from_chars(value.data() + at + 3, value.data() + close, point, 16).ptr ==
              value.data() + close) {
        put_character(undone, point);
        at = close + 1;
      } else {
        undone += value[at++];
      }
    }
    value = undone;
  }
  // A source route (RFC 5321 appendix C) has its mailbox behind the colon.
  if (const size_t colon = value.rfind(':');
      colon != std::string_view::npos && trim(value).find_first_of('@') < colon) {
    if (value.find('@', colon) != std::string_view::npos) value.remove_prefix(colon + 1);
  }
  const auto found = addresses_in(value);
  if (!found.empty()) return one_line(found.front().text, 320);
  const size_t open = value.find('<');
  const size_t close = value.find('>', open == std::string_view::npos ? 0 : open);
  if (open != std::string_view::npos && close != std::string_view::npos) {
    value = value.substr(open + 1, close - open - 1);
  }
  return one_line(value.substr(0, value.find(" (")), 320);
}

bool is_address(std::string_view text) {
  const size_t at = text.rfind('@');
  return at != std::string_view::npos && at > 0 && at + 1 < text.size() &&
         text.find_first_of(" /;") == std::string_view::npos;
}

}  // namespace watchpost::feedback
