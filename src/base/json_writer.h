#pragma once
#include <charconv>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace watchpost {

// Writes one JSON document into a string, in the order in which it is told. Commas and escapes are
// its own business; what may stand where is the caller's.
//   Use:     writer.begin_object(); writer.member("v", 1); writer.key("all"); ...; take().
//   Why:     a tree of values that is then written costs several times as much, and is made for
//            each message.
//   Fails:   never; texts and keys are valid UTF-8, or the document is not.
class JsonWriter {
 public:
  void begin_object() { open('{'); }
  void end_object() { text_ += '}'; }
  void begin_array() { open('['); }
  void end_array() { text_ += ']'; }

  void key(std::string_view name) {
    value(name);
    text_ += ':';
  }
  void value(std::string_view utf8);
  void value(const char* utf8) { value(std::string_view(utf8)); }
  void value(bool is);
  void value(double number);  // null where it is none
  template <std::integral Number>
  void value(Number number) {
    separate();
    char digits[24];
    text_.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
  }
  void null();

  template <class Value>
  void member(std::string_view name, const Value& is) {
    key(name);
    value(is);
  }

  size_t size() const { return text_.size(); }
  // As it was when it had that size.
  void cut_back(size_t size) { text_.resize(size); }
  void reserve(size_t bytes) { text_.reserve(bytes); }
  std::string take() { return std::move(text_); }

 private:
  // Only what opens and a key's colon is followed by a value without a comma.
  void separate() {
    if (text_.empty()) return;
    const char last = text_.back();
    if (last != '{' && last != '[' && last != ':') text_ += ',';
  }
  void open(char bracket) {
    separate();
    text_ += bracket;
  }

  std::string text_;
};

}  // namespace watchpost
