#pragma once
#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::feedback {

// One value of a JSON text, with all that it holds.
//   Owns: its texts and what is in it. At most kMostJsonDepth deep.
struct JsonNode {
  enum class Kind : uint8_t { null, truth, whole, number, text, list, object };
  Kind kind = Kind::null;
  bool truth = false;
  double number = 0;            // of a whole number as well
  std::string key;              // within an object; valid UTF-8
  std::string text;             // of a text: valid UTF-8; of a number: as one would write it
  std::vector<JsonNode> items;  // of a list, or the members of an object in their order

  bool is_text() const { return kind == Kind::text; }
  bool is_list() const { return kind == Kind::list; }
  bool is_object() const { return kind == Kind::object; }
  // The first member of that name; nullptr where there is none or this is no object.
  const JsonNode* find(std::string_view name) const;
  // Its text, where it is a member of that name and a text; else empty.
  std::string_view text_of(std::string_view name) const;
};

inline constexpr size_t kMostJsonBytes = 32 * 1024 * 1024;
inline constexpr size_t kMostJsonValues = 100'000;
inline constexpr size_t kMostJsonDepth = 32;

// The whole text must be one JSON value (RFC 8259); a byte order mark before it is skipped.
//   Fails: bad_input where it is none, exhausted past a bound.
Result<JsonNode> read_json(std::string_view text);

}  // namespace watchpost::feedback
