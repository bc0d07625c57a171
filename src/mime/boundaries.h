#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::mime {

// What a line that starts with "--" is to the multiparts that are open where it stands.
struct Delimiter {
  enum class Kind : uint8_t { none, next_part, end };
  Kind kind = Kind::none;
  size_t level = 0;  // of the multipart it belongs to
  // It is more than the boundary, "--" and blanks, or begins with a boundary without being a
  // delimiter. Readers differ: RFC 2046 section 5.1.1 asks for the beginning of the line alone, and
  // Postfix and Sendmail do as it says; others want all of the line.
  bool odd = false;
};

// The boundaries of the open multiparts, kept so that a line is held against all of them at once:
// its cost is that of its own length, however many are open.
//   Owns: copies of the boundaries.
class Boundaries {
 public:
  // Of an opened boundary the first `longest` bytes are compared.
  explicit Boundaries(size_t longest) : longest_(longest) {}

  // Levels rise: the last one opened is the first one closed. `boundary` is not empty.
  void open(std::string_view boundary, size_t level);
  // Closes those of this level and above.
  void close_from(size_t level);
  // The boundary is the beginning of one that is open, or the same.
  bool clashes(std::string_view boundary) const;
  bool empty() const { return opened_.empty(); }

  // `line` without its line end. The longest boundary that fits counts, of two alike the inner one:
  // so a parent's boundary that goes on where its child's ends is still the parent's.
  Delimiter find(std::string_view line) const;

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  struct Open {
    std::string text;
    size_t level = 0;
    uint32_t shorter = kNone;  // the longest of the others that it begins with; of those alike the
                               // inner one, but none that is as long and further in
    bool cut = false;          // at longest_
  };
  using Places = std::vector<uint32_t>;

  Places::const_iterator behind(std::string_view text) const;
  // The longest that `text` begins with, or none.
  uint32_t longest_beginning(std::string_view text) const;
  void close_last();

  size_t longest_;
  std::vector<Open> opened_;  // in the order of opening
  Places sorted_;             // places in opened_, by text, then level
};

}  // namespace watchpost::mime
