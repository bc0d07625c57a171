#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::auth {

struct Tag {
  std::string_view name;
  std::string_view value;  // without blanks and folds at its ends
  size_t begin = 0;        // where what stands behind the "=" begins in the text, blanks and all,
  size_t end = 0;          // and where the semicolon is, or the end of the text
};

// A tag list: of signatures and of key records (RFC 6376 section 3.2). Views into the text.
class TagList {
 public:
  static constexpr size_t kMostTags = 64;

  // Total. Bytes beyond ASCII may stand in values (RFC 8616); folds anywhere.
  static TagList read(std::string_view text);

  // What is wrong with the list as a whole, as a sentence's tail: "has the tag d= twice". Nothing
  // of such a list may be used.
  const std::string& fault() const { return fault_; }
  const std::vector<Tag>& tags() const { return tags_; }
  // Null where it is not there. Names are in their case.
  const Tag* find(std::string_view name) const;

 private:
  bool take(std::string_view text, size_t begin, size_t end);

  std::vector<Tag> tags_;
  std::string fault_;
};

// What there is between the colons of a value, blanks and folds at the ends gone; the items may be
// empty.
std::vector<std::string_view> items_of(std::string_view value);
// Whether one of them is this word, in either case.
bool has_item(std::string_view value, std::string_view word);

// Blanks and folds gone, wherever they stand.
std::string without_blanks(std::string_view value);

}  // namespace watchpost::auth
