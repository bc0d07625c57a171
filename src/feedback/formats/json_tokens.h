#pragma once
#include "feedback/formats/json_value.h"

#include <cstdint>
#include <memory>
#include <string_view>

namespace watchpost::feedback {

// Where the tokens of a JSON text begin: its brackets, commas and colons, and the first byte of
// each text, number and word. simdjson's first stage, with the instruction set that the machine
// has; what stands between two tokens is not looked at before somebody wants it, which is what
// makes it fast.
//   Use:     find(), then a JsonWalk over it.
//   Owns:    no text: it must live as long as the values are used.
//   Threads: none inside.
class JsonTokens {
 public:
  explicit JsonTokens(size_t most_bytes);
  JsonTokens(JsonTokens&&) noexcept;
  ~JsonTokens();

  // False: not UTF-8, a text without its end, a control byte in a text, empty, or too long.
  bool find(std::string_view text);
  const char* text() const { return text_; }
  // One more than there are: the last is the end of the text.
  const uint32_t* first() const { return first_; }
  const uint32_t* last() const { return last_; }
  size_t count() const { return static_cast<size_t>(last_ - first_); }

  // Of this text, or of one of the same JsonShape.
  JsonPlace place_of(const JsonValue& value) const {
    return {static_cast<uint32_t>(value.first - first_),
            static_cast<uint32_t>(value.last - first_)};
  }
  JsonValue at(JsonPlace place) const;

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
  const char* text_ = nullptr;
  const uint32_t* first_ = nullptr;
  const uint32_t* last_ = nullptr;
};

inline bool is_json_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

inline JsonValue JsonTokens::at(JsonPlace place) const {
  if (place.last == 0) return {};
  const char* const begin = text_ + first_[place.first];
  JsonValue value{
      .kind = *begin, .raw = {}, .first = first_ + place.first, .last = first_ + place.last};
  // What stands between two tokens are blanks.
  const char* end = text_ + *value.last;
  while (end > begin + 1 && is_json_blank(end[-1])) --end;
  const bool is_text = *begin == '"' && end > begin + 1;
  value.raw = is_text ? std::string_view(begin + 1, end - 1) : std::string_view(begin, end);
  return value;
}

}  // namespace watchpost::feedback
