#include "base/ascii.h"
#include "feedback/reports/report_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace watchpost::feedback {
namespace {

constexpr size_t kMostHtml = 256 * 1024;

// The name of the tag that begins at `at`, "<br/>" and "</BR >" alike; with the slash of an end tag
// left out.
std::string tag_name(std::string_view html, size_t at) {
  std::string name;
  for (size_t i = at + 1; i < html.size() && name.size() < 12; ++i) {
    const char c = to_lower(html[i]);
    if (c == '/' && name.empty()) continue;
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '!')) break;
    name += c;
  }
  return name;
}

bool ends_a_line(std::string_view tag) {
  constexpr std::array<std::string_view, 14> kBlocks{"br", "p",  "div", "tr", "li", "h1", "h2",
                                                     "h3", "h4", "ul",  "ol", "hr", "dd", "pre"};
  return std::ranges::find(kBlocks, tag) != kBlocks.end();
}

// Behind the end tag of an element whose content nobody sees.
size_t behind_element(std::string_view html, size_t at, std::string_view tag) {
  for (size_t i = html.find("</", at); i != std::string_view::npos; i = html.find("</", i + 2)) {
    if (starts_with_nocase(html.substr(i + 2), tag)) {
      const size_t close = html.find('>', i);
      return close == std::string_view::npos ? html.size() : close + 1;
    }
  }
  return html.size();
}

// One character reference at `at`, "&amp;" or "&#39;"; moves behind it. An unknown one stays.
void put_reference(std::string_view html, size_t& at, std::string& out) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kNamed{{{"nbsp", " "},
                                                                                 {"lt", "<"},
                                                                                 {"gt", ">"},
                                                                                 {"amp", "&"},
                                                                                 {"quot", "\""},
                                                                                 {"apos", "'"},
                                                                                 {"copy", "(c)"},
                                                                                 {"rsquo", "'"}}};
  const size_t end = html.substr(at, 10).find(';');
  if (end != std::string_view::npos) {
    const std::string_view name = html.substr(at + 1, end - 1);
    for (const auto& [known, text] : kNamed) {
      if (!equal_nocase(known, name)) continue;
      out += text;
      at += end + 1;
      return;
    }
    unsigned number = 0;
    if (name.starts_with('#') &&
        std::from_chars(name.data() + 1, name.data() + name.size(), number).ptr ==
            name.data() + name.size() &&
        number >= 0x20 && number < 0x7F) {
      out += static_cast<char>(number);
      at += end + 1;
      return;
    }
  }
  out += html[at++];
}

}  // namespace

std::string text_of_html(std::string_view html) {
  html = html.substr(0, kMostHtml);
  const size_t last = html.rfind('>');
  std::string out;
  for (size_t at = 0; at < html.size();) {
    const char c = html[at];
    if (c == '<') {
      const std::string tag = tag_name(html, at);
      const bool closed = !tag.empty() && last != std::string_view::npos && at < last;
      const size_t close = closed ? html.find('>', at) : std::string_view::npos;
      if (close == std::string_view::npos) {  // a bracket of the text
        out += c;
        ++at;
        continue;
      }
      const bool end_tag = html[at + 1] == '/';
      if (!end_tag && (tag == "style" || tag == "script" || tag == "head" || tag == "title")) {
        at = behind_element(html, close, tag);
        continue;
      }
      if (ends_a_line(tag)) out += '\n';
      at = close + 1;
    } else if (c == '&') {
      put_reference(html, at, out);
    } else {
      out += c == '\n' || c == '\r' || c == '\t' ? ' ' : c;
      ++at;
    }
  }
  return out;
}

}  // namespace watchpost::feedback
