#pragma once
#include "base/result.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::dns {

// A word of a master file, its escapes still in it.
struct ZoneWord {
  std::string_view raw;
  bool quoted = false;
};

// One entry: a line, or several within parentheses.
struct ZoneEntry {
  size_t line = 0;       // where it begins, from 1
  bool at_edge = false;  // it begins without a blank: its first word is the owner
  std::vector<ZoneWord> words;
};

// Takes a master file apart into entries (RFC 1035 section 5.1): comments, quotes, parentheses.
//   Owns:    nothing; words point into the text.
//   Fails:   bad_input, `about` the number of the line.
//   Rules:   pure and total, linear.
class ZoneLexer {
 public:
  explicit ZoneLexer(std::string_view text);
  // False at the end of the text. An entry has at least one word.
  Result<bool> next(ZoneEntry& entry);

 private:
  Result<Done> add_quoted(ZoneEntry& entry);
  Result<Done> add_plain(ZoneEntry& entry);
  bool skip_escape();
  void skip_comment();
  std::unexpected<Error> wrong(std::string what) const;

  std::string_view text_;
  size_t at_ = 0;
  size_t line_ = 1;
};

// The bytes that a word stands for: `\DDD` is one of that value, `\x` is x (RFC 1035 section 5.1).
// Nothing where a `\DDD` is over 255 or not three digits.
std::optional<std::string> unescaped(std::string_view raw);

}  // namespace watchpost::dns
