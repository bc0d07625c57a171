#pragma once
#include <cstdint>
#include <string_view>

namespace watchpost::feedback {

// One value of a JSON text, not yet read: a text still has its escapes, a container its members.
struct JsonValue {
  // The first byte: `"`, `{`, `[`, or that of a number, true, false or null. 0: there is none.
  char kind = 0;
  std::string_view raw;             // of a text without its quotes
  const uint32_t* first = nullptr;  // its tokens, of a container from its bracket ...
  const uint32_t* last = nullptr;   // ... to behind the closing one

  bool is_text() const { return kind == '"'; }
  bool is_object() const { return kind == '{'; }
  bool is_array() const { return kind == '['; }
  bool is_null() const { return kind == 'n' || kind == 0; }
};

// Where a value stands, by the numbers of its tokens.
struct JsonPlace {
  uint32_t first = 0;
  uint32_t last = 0;  // 0: there is none
};

// A JSON text without its escapes, into `to`, which has room for raw.size() bytes; what is not an
// escape stays without its backslash, half of a surrogate pair becomes U+FFFD. Returns the end of
// what was written.
char* unescape_json(std::string_view raw, char* to);

// The number of a value; nothing for what is not a whole number from 0 to 2^53.
bool read_whole(const JsonValue& value, uint64_t& number);

}  // namespace watchpost::feedback
