#include "investigate/safe_view.h"

#include "base/ascii.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "mime/charset.h"
#include "mime/html.h"
#include "mime/message.h"
#include "mime/transfer.h"
#include "mime/utf8.h"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace watchpost::investigate {
namespace {

constexpr size_t kMostHeaderLines = 2'000;
constexpr size_t kLongestHeaderLine = 2'000;
constexpr size_t kLongestLink = 2'000;
constexpr size_t kLongestType = 100;
// Of a text part, decoded: HTML has more letters than text.
constexpr size_t kMostRead = 4 * kMostShownText;
constexpr size_t kPacking = 4;  // the most letters that one byte takes in a message
// A message within a message is decoded again for each that it is in.
constexpr size_t kMostHashed = 256 << 20;

// A tab is no trick; all else that is not plain stands as its number.
std::string safe_line(std::string_view line) {
  std::string blanks(line);
  std::ranges::replace(blanks, '\t', ' ');
  if (blanks.ends_with('\r')) blanks.pop_back();
  return escaped(blanks);
}

bool ends_url(char c) {
  return static_cast<unsigned char>(c) <= ' ' || c == 0x7F || c == '<' || c == '>' || c == '"';
}
bool ends_sentence(char c) { return std::string_view(".,;:!?)]}'").contains(c); }
bool is_letter(char c) { return to_lower(c) >= 'a' && to_lower(c) <= 'z'; }
bool is_slash(char c) { return c == '/' || c == '\\'; }

// Where a URL begins that stands in a text at or behind `at`; its size where there is none.
size_t next_url(std::string_view text, size_t at) {
  for (size_t found = find_any<':', 'w', 'W'>(text, at); found < text.size();
       found = find_any<':', 'w', 'W'>(text, found + 1)) {
    if (text[found] == ':') {
      if (!text.substr(found).starts_with("://")) continue;
      size_t begin = found;
      while (begin > at && is_letter(text[begin - 1])) --begin;
      if (begin < found) return begin;
    } else if (starts_with_nocase(text.substr(found), "www.") &&
               (found == at || !is_letter(text[found - 1]))) {
      return found;
    }
  }
  return text.size();
}

// The dots of a host, so that no program makes a link of it.
void put_without_dots(std::string& made, std::string_view host) {
  for (const char c : host) {
    if (c == '.') {
      made += "[.]";
    } else {
      made += c;
    }
  }
}

// The scheme and the host that a URL begins with; gives how much of it that was.
size_t put_dead(std::string& made, std::string_view url) {
  size_t scheme = 0;
  while (scheme < url.size() && (is_letter(url[scheme]) || is_digit(url[scheme]))) ++scheme;
  const bool has_scheme = scheme > 0 && scheme < url.size() && url[scheme] == ':';
  const std::string_view name = url.substr(0, scheme);
  size_t host = 0;
  if (has_scheme && (equal_nocase(name, "http") || equal_nocase(name, "https"))) {
    made += "hxxp";
    made += url.substr(4, scheme - 3);
    host = scheme + 1;
  } else if (has_scheme) {
    // "javascript[:]alert(1)"
    made += name;
    made += "[:]";
    host = scheme + 1;
  }
  while (host < url.size() && is_slash(url[host])) made += url[host++];
  // What a program that takes other bytes for the end would take for the next one is none of it.
  const size_t within = has_scheme ? host : std::min(host + 1, url.size());
  const size_t end =
      std::min({url.find_first_of("/\\?#", host), next_url(url, within), url.size()});
  put_without_dots(made, url.substr(host, end - host));
  return end;
}

class Viewer {
 public:
  explicit Viewer(const quarantine::HeldContent& content)
      : message_(mime::Message::read(content.message)) {
    view_.verdict = content.verdict;
  }

  SafeView run() {
    put_header();
    for (const mime::Part& part : message_.parts()) put_part(part);
    std::set<std::string_view> names;
    for (const mime::Finding& finding : message_.findings().all()) {
      if (names.insert(name_of(finding.what)).second) {
        view_.findings.emplace_back(name_of(finding.what));
      }
    }
    return std::move(view_);
  }

 private:
  void put_header() {
    for (const mime::Field& field : message_.header().fields()) {
      std::string_view raw = field.raw;
      if (raw.ends_with('\n')) raw.remove_suffix(1);
      for (const std::string_view line : split(raw, '\n')) {
        if (view_.header.size() >= kMostHeaderLines) {
          view_.whole = false;
          return;
        }
        view_.whole = view_.whole && line.size() <= kLongestHeaderLine;
        view_.header.push_back(cut(safe_line(line.substr(0, kLongestHeaderLine)), line.size()));
      }
    }
  }

  static std::string cut(std::string line, size_t was) {
    if (was > kLongestHeaderLine) line += "…";
    return line;
  }

  void put_part(const mime::Part& part) {
    SafePart shown{.depth = part.depth,
                   .type = escaped(part.type.value, kLongestType),
                   .name = escaped(mime::Message::file_name(part), kLongestShownName),
                   .attached = part.disposition.value == "attachment"};
    if (!part.multipart()) measure(part, shown);
    if (!part.multipart() && !shown.attached && !part.holds_message()) put_text(part);
    view_.parts.push_back(std::move(shown));
  }

  void measure(const mime::Part& part, SafePart& shown) {
    if (hashed_ + part.body.size() > kMostHashed) {
      view_.whole = false;
      return;
    }
    hashed_ += part.body.size();
    const std::string bytes = message_.decoded(part);
    shown.size = bytes.size();
    shown.sha256 = hex(crypto::sha256(bytes));
  }

  void put_text(const mime::Part& part) {
    if (!part.type.value.starts_with("text/")) return;
    const std::string text = text_of(part);
    if (part.type.value != "text/html") return put_lines(part.type.value, text);
    const size_t before = view_.links.size();
    const mime::HtmlText plain =
        mime::text_of_html(text, kMostShownText, kMostShownLinks - before, before);
    view_.whole = view_.whole && plain.whole;
    for (const mime::HtmlLink& link : plain.links) add_link(link.url, link.fetched);
    put_lines(part.type.value, plain.text);
  }

  std::string text_of(const mime::Part& part) {
    const std::string_view packed = part.body.substr(0, kMostRead * kPacking);
    const std::string bytes = mime::decoded(packed, part.encoding, kMostRead);
    const std::string* const charset = part.type.find("charset");
    mime::Utf8Text text = mime::to_utf8(bytes, charset == nullptr ? "" : *charset, kMostRead);
    if (packed.size() < part.body.size() || bytes.size() == kMostRead || !text.whole) {
      view_.whole = false;
    }
    return std::move(text.text);
  }

  void put_lines(std::string_view type, std::string_view text) {
    SafeText shown{escaped(type, kLongestType), {}};
    while (!text.empty() && text_bytes_ < kMostShownText) {
      const size_t end = std::min(text.find('\n'), text.size());
      std::string safe = safe_line(without_links(text.substr(0, end)));
      if (safe.size() > kMostShownText - text_bytes_) {
        safe.resize(kMostShownText - text_bytes_);
        mime::drop_cut_character(safe);
        view_.whole = false;
      }
      text_bytes_ += safe.size() + 1;
      shown.text += safe;
      shown.text += '\n';
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    view_.whole = view_.whole && text.empty();
    view_.texts.push_back(std::move(shown));
  }

  // The line with its URLs made dead, and noted.
  std::string without_links(std::string_view line) {
    std::string made;
    for (size_t at = 0; at < line.size();) {
      const size_t begin = next_url(line, at);
      made += line.substr(at, begin - at);
      size_t end = begin;
      while (end < line.size() && !ends_url(line[end])) ++end;
      while (end > begin && ends_sentence(line[end - 1])) --end;
      if (end > begin) {
        const std::string_view url = line.substr(begin, end - begin);
        made += defanged(url);
        if (seen_.insert(std::string(url.substr(0, kLongestLink))).second) add_link(url, false);
      }
      at = std::max(end, begin + 1);
    }
    return made;
  }

  void add_link(std::string_view url, bool fetched) {
    if (view_.links.size() >= kMostShownLinks) {
      view_.whole = false;
      return;
    }
    view_.links.push_back({safe_line(defanged(url.substr(0, kLongestLink))), fetched});
  }

  const mime::Message message_;
  SafeView view_;
  std::set<std::string, std::less<>> seen_;  // in texts
  size_t text_bytes_ = 0;
  size_t hashed_ = 0;
};

}  // namespace

std::string defanged(std::string_view url) {
  std::string made;
  for (size_t at = put_dead(made, url); at < url.size();) {
    // Others may be within: "https://a.example/?to=http://b.example".
    const size_t next = next_url(url, at);
    made += url.substr(at, next - at);
    at = next;
    if (at < url.size()) at += put_dead(made, url.substr(at));
  }
  return made;
}

SafeView safe_view(const quarantine::HeldContent& content) { return Viewer(content).run(); }

}  // namespace watchpost::investigate
