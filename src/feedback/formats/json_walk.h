#pragma once
#include "feedback/formats/json_tokens.h"

#include <cstdint>
#include <string_view>

namespace watchpost::feedback {

// A walk over values, each looked at once, in their order.
//   Use:     JsonWalk walk(tokens);
//            walk.object([&](std::string_view key) { return walk.value(...); }) && walk.ended()
//   Rules:   total; false means that it is not JSON there, and nothing more can be read. What
//            stands within a container that is only passed over is counted in brackets, not read.
class JsonWalk {
 public:
  explicit JsonWalk(const JsonTokens& tokens)
      : text_(tokens.text()), at_(tokens.first()), last_(tokens.last()) {}
  // Over one value that was passed over before.
  JsonWalk(const JsonTokens& tokens, const JsonValue& container)
      : text_(tokens.text()), at_(container.first), last_(container.last) {}

  // The first byte of what comes next; 0 behind the last value.
  char next() const { return at_ == last_ ? '\0' : text_[*at_]; }
  bool ended() const { return at_ == last_; }

  // The next value, whatever it is; of a container all of it.
  bool value(JsonValue& value) {
    if (at_ == last_) return false;
    const char* const begin = text_ + *at_;
    value.kind = *begin;
    value.first = at_;
    const bool good = *begin == '"' ? take_text(value.raw) : take_other(value, begin);
    value.last = at_;
    return good;
  }

  // Calls `member` with each key, as it stands there, behind which it must take the value.
  template <class Member>
  bool object(const Member& member) {
    if (next() != '{') return false;
    ++at_;
    if (next() == '}') return ++at_, true;
    while (true) {
      std::string_view key;
      if (next() != '"' || !take_text(key) || next() != ':') return false;
      ++at_;
      if (!member(key)) return false;
      const char behind = next();
      if (behind != ',' && behind != '}') return false;
      ++at_;
      if (behind == '}') return true;
    }
  }

  // Calls `item` for each item, which it must take.
  template <class Item>
  bool array(const Item& item) {
    if (next() != '[') return false;
    ++at_;
    if (next() == ']') return ++at_, true;
    while (true) {
      if (!item()) return false;
      const char behind = next();
      if (behind != ',' && behind != ']') return false;
      ++at_;
      if (behind == ']') return true;
    }
  }

 private:
  // Between a text's first quote and the next token are only its rest and blanks.
  bool take_text(std::string_view& raw) {
    const char* const begin = text_ + *at_;
    ++at_;
    const char* end = text_ + *at_ - 1;
    while (is_json_blank(*end)) --end;
    if (end <= begin || *end != '"') return false;
    raw = {begin + 1, static_cast<size_t>(end - begin - 1)};
    return true;
  }
  bool take_other(JsonValue& value, const char* begin) {
    switch (*begin) {
      case '{':
      case '[': return take_container(value, begin);
      case '}':
      case ']':
      case ':':
      case ',': return false;
      default: return take_word(value.raw, begin);
    }
  }
  bool take_word(std::string_view& raw, const char* begin) {
    ++at_;
    const char* end = text_ + *at_;
    while (is_json_blank(end[-1])) --end;
    raw = {begin, static_cast<size_t>(end - begin)};
    return true;
  }
  bool take_container(JsonValue& value, const char* begin) {
    int64_t depth = 0;
    do {
      if (at_ == last_) return false;
      const char c = text_[*at_++];
      // '[' and ']' differ from '{' and '}' by one bit.
      depth += (c | 0x20) == '{';
      depth -= (c | 0x20) == '}';
    } while (depth > 0);
    // The bracket that closes must be of the kind that opened.
    if (text_[at_[-1]] != *begin + 2) return false;
    value.raw = {begin, static_cast<size_t>(text_ + at_[-1] + 1 - begin)};
    return true;
  }

  const char* text_;
  const uint32_t* at_;
  const uint32_t* last_;
};

}  // namespace watchpost::feedback
