#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace watchpost::mime {

// HTML as far as mail needs it: its tags one after the other, nothing of how it would look. All of
// it is total, and walks over its bytes once.

// Reads the tag that begins at html[at] with its "<"; moves behind it.
//   Use: attribute() until it gives nothing: only then `at` stands behind the tag.
class HtmlTag {
 public:
  HtmlTag(std::string_view html, size_t& at);

  const std::string& name() const { return name_; }  // in lower case, its first letters
  bool end() const { return end_; }                  // "</a>"
  // The next attribute, its name in lower case, its value as it stands there; nothing at the end of
  // the tag.
  std::optional<std::pair<std::string, std::string_view>> attribute();

 private:
  void skip_blanks();
  std::string word(size_t most);
  std::string_view value();

  std::string_view html_;
  size_t& at_;
  bool end_ = false;
  std::string name_;
};

// Whether a tag, and not a bracket of the text, begins at html[at] with "<".
bool is_tag(std::string_view html, size_t at);
// Behind what begins at html[at] with "<!--", "<!" or "<?" and is no tag.
size_t behind_comment(std::string_view html, size_t at);
// The end tag of an element whose content is no text; the end where there is none.
size_t at_end_tag(std::string_view html, size_t at, std::string_view name);

// A URL as those who open it read it: character references undone where they are of a URL's own
// letters, tabs and line ends gone. Its first 2,048 bytes.
std::string url_of_attribute(std::string_view value);

struct HtmlLink {
  std::string url;
  bool fetched = false;  // by looking at the mail: images, frames, styles; else by a click
};

struct HtmlText {
  std::string text;
  std::vector<HtmlLink> links;
  bool whole = true;  // nothing was cut
};
// What a person would read: tags, comments, scripts and styles gone, character references undone,
// a line for each block. Nothing is hidden that a style would hide. `html` is UTF-8; so is the
// text, whose control characters are as the HTML has them: escape it. Behind what can be clicked on
// stands the number of its link, "[1]" for the first; `before`: so many have their numbers already.
HtmlText text_of_html(std::string_view html, size_t most_bytes, size_t most_links,
                      size_t before = 0);

}  // namespace watchpost::mime
