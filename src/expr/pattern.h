#pragma once
#include <expected>
#include <memory>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace watchpost::expr {

// A regular expression as RE2 has them: the time to match is linear in the text, memory is bounded.
//   Threads: immutable; any number may match.
class Pattern {
 public:
  struct Fault {
    std::string what;
    size_t at = 0;  // offset in the pattern, as near as is known
  };
  static std::expected<Pattern, Fault> make(std::string_view text);
  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();

  // It matches anywhere in `text`; `^` and `$` anchor it.
  bool found_in(std::string_view text) const;

 private:
  explicit Pattern(std::unique_ptr<re2::RE2> compiled);
  std::unique_ptr<re2::RE2> compiled_;
};

}  // namespace watchpost::expr
