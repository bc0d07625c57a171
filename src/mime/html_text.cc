#include "base/ascii.h"
#include "mime/html.h"
#include "mime/utf8.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace watchpost::mime {
namespace {

constexpr size_t kLongestReference = 12;

struct Named {
  std::string_view name;
  uint32_t code;
};
// Those that letters have; all others stay as they are.
constexpr std::array<Named, 40> kNamed{{
    {"amp", '&'},       {"lt", '<'},       {"gt", '>'},       {"quot", '"'},     {"apos", '\''},
    {"nbsp", ' '},      {"ensp", ' '},     {"emsp", ' '},     {"shy", 0xAD},     {"zwnj", 0x200C},
    {"zwj", 0x200D},    {"colon", ':'},    {"sol", '/'},      {"period", '.'},   {"commat", '@'},
    {"copy", 0xA9},     {"reg", 0xAE},     {"trade", 0x2122}, {"euro", 0x20AC},  {"pound", 0xA3},
    {"hellip", 0x2026}, {"mdash", 0x2014}, {"ndash", 0x2013}, {"lsquo", 0x2018}, {"rsquo", 0x2019},
    {"ldquo", 0x201C},  {"rdquo", 0x201D}, {"laquo", 0xAB},   {"raquo", 0xBB},   {"bull", 0x2022},
    {"middot", 0xB7},   {"auml", 0xE4},    {"ouml", 0xF6},    {"uuml", 0xFC},    {"Auml", 0xC4},
    {"Ouml", 0xD6},     {"Uuml", 0xDC},    {"szlig", 0xDF},   {"eacute", 0xE9},  {"egrave", 0xE8},
}};

// Their content is nothing that a person reads.
constexpr std::array<std::string_view, 7> kUnread{"script", "style",   "title",   "template",
                                                  "iframe", "noembed", "noframes"};
constexpr std::array<std::string_view, 24> kBlocks{
    "address",  "article", "blockquote", "br", "center", "div",     "dl",    "dt",
    "fieldset", "footer",  "form",       "h1", "h2",     "h3",      "h4",    "header",
    "hr",       "li",      "ol",         "p",  "pre",    "section", "table", "tr"};

template <class List>
bool has(const List& list, std::string_view name) {
  return std::ranges::find(list, name) != list.end();
}

std::optional<uint32_t> numbered(std::string_view digits) {
  const bool hex = digits.starts_with('x') || digits.starts_with('X');
  if (hex) digits.remove_prefix(1);
  uint32_t code = 0;
  const char* const last = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), last, code, hex ? 16 : 10);
  if (digits.empty() || read.ptr != last) return std::nullopt;
  const bool fine =
      read.ec == std::errc() && code != 0 && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
  return fine ? code : 0xFFFD;
}

// The character reference that `text` begins with, and its length; nothing where it is none.
std::optional<std::pair<uint32_t, size_t>> reference_in(std::string_view text) {
  const size_t end = text.substr(0, kLongestReference).find(';');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view name = text.substr(1, end - 1);
  if (name.starts_with('#')) {
    const auto code = numbered(name.substr(1));
    if (!code) return std::nullopt;
    return std::pair(*code, end + 1);
  }
  const auto* const known = std::ranges::find(kNamed, name, &Named::name);
  if (known == kNamed.end()) return std::nullopt;
  return std::pair(known->code, end + 1);
}

// Which attributes lead somewhere: by a click, or by looking.
enum class Leads { nowhere, by_click, by_looking };
Leads leads(std::string_view attribute) {
  constexpr std::array<std::string_view, 4> kClick{"href", "xlink:href", "action", "formaction"};
  constexpr std::array<std::string_view, 5> kLook{"src", "background", "srcset", "poster", "data"};
  if (has(kClick, attribute)) return Leads::by_click;
  return has(kLook, attribute) ? Leads::by_looking : Leads::nowhere;
}

class Reader {
 public:
  Reader(std::string_view html, size_t most_bytes, size_t most_links, size_t before)
      : html_(html), most_bytes_(most_bytes), most_links_(most_links), before_(before) {}

  HtmlText run() {
    size_t at = 0;
    while (at < html_.size() && !full()) {
      const size_t tag = std::min(html_.find('<', at), html_.size());
      put_text(html_.substr(at, tag - at));
      at = tag < html_.size() ? behind_tag(tag) : tag;
    }
    made_.whole = made_.whole && at >= html_.size();
    if (full()) {
      made_.whole = false;
      made_.text.resize(most_bytes_);
      drop_cut_character(made_.text);
    }
    return std::move(made_);
  }

 private:
  bool full() const { return made_.text.size() > most_bytes_; }

  size_t behind_tag(size_t at) {
    if (at + 1 < html_.size() && (html_[at + 1] == '!' || html_[at + 1] == '?')) {
      return behind_comment(html_, at);
    }
    if (!is_tag(html_, at)) {
      put_letters("<");
      return at + 1;
    }
    HtmlTag tag(html_, at);
    size_t link = 0;  // its number
    while (const auto attribute = tag.attribute()) {
      if (tag.end()) continue;
      if (const size_t noted = note_link(tag.name(), attribute->first, attribute->second)) {
        link = noted;
      }
    }
    if (tag.name() == "a") begin_or_end_link(tag.end() ? 0 : link);
    if (tag.name() == "td" || tag.name() == "th") gap_ = true;
    if (has(kBlocks, tag.name())) line_ = true;
    if (!tag.end() && has(kUnread, tag.name())) return at_end_tag(html_, at, tag.name());
    return at;
  }

  // The number of the link; 0 where it is none.
  size_t note_link(std::string_view tag, std::string_view attribute, std::string_view value) {
    const Leads how = leads(attribute);
    if (how == Leads::nowhere) return 0;
    HtmlLink link{url_of_attribute(value), how == Leads::by_looking || tag == "link"};
    if (link.url.empty() || link.url.starts_with('#')) return 0;
    if (made_.links.size() >= most_links_) {
      made_.whole = false;
      return 0;
    }
    made_.links.push_back(std::move(link));
    return before_ + made_.links.size();
  }

  void begin_or_end_link(size_t link) {
    if (link_ != 0) {
      gap_ = true;
      put_letters("[" + std::to_string(link_) + "]");
      gap_ = true;
    }
    link_ = link;
  }

  void put_text(std::string_view text) {
    for (size_t at = 0; at < text.size() && !full();) {
      const char c = text[at];
      if (c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f') {
        gap_ = true;
        ++at;
      } else if (const auto found = c == '&' ? reference_in(text.substr(at)) : std::nullopt) {
        put_code(found->first);
        at += found->second;
      } else {
        const size_t end = std::min(text.find_first_of(" \t\r\n\f&", at + 1), text.size());
        put_letters(text.substr(at, end - at));
        at = end;
      }
    }
  }

  void put_code(uint32_t code) {
    if (code == ' ' || code == '\t' || code == '\r' || code == '\n') {
      gap_ = true;
      return;
    }
    std::string letter;
    append_utf8(letter, code);
    put_letters(letter);
  }

  // With the blank or line end that is due before it.
  void put_letters(std::string_view letters) {
    if (!made_.text.empty() && (line_ || gap_)) made_.text += line_ ? '\n' : ' ';
    line_ = gap_ = false;
    made_.text += letters;
  }

  std::string_view html_;
  const size_t most_bytes_;
  const size_t most_links_;
  const size_t before_;
  HtmlText made_;
  bool gap_ = false;
  bool line_ = false;
  size_t link_ = 0;  // that we are in
};

}  // namespace

HtmlText text_of_html(std::string_view html, size_t most_bytes, size_t most_links, size_t before) {
  return Reader(html, most_bytes, most_links, before).run();
}

}  // namespace watchpost::mime
