#include "feedback/reports/report_json.h"

#include "base/text.h"

#include <cmath>
#include <optional>
#include <utility>

#include <simdjson.h>

namespace watchpost::feedback {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

// Copies simdjson's tree; nullopt past the bound of values.
class Copy {
 public:
  bool value(const element& from, JsonNode& to) {
    if (++values_ > kMostJsonValues) return false;
    switch (from.type()) {
      case element_type::NULL_VALUE: return true;
      case element_type::BOOL:
        to.kind = JsonNode::Kind::truth;
        return from.get(to.truth) == simdjson::SUCCESS;
      case element_type::STRING: return text(from, to);
      case element_type::INT64:
      case element_type::UINT64:
      case element_type::DOUBLE: return number(from, to);
      case element_type::ARRAY: return list(from, to);
      case element_type::OBJECT: return object(from, to);
    }
    return false;
  }

 private:
  static bool text(const element& from, JsonNode& to) {
    std::string_view text;
    if (from.get(text) != simdjson::SUCCESS) return false;
    to.kind = JsonNode::Kind::text;
    to.text = text;
    return true;
  }
  static bool number(const element& from, JsonNode& to) {
    if (from.get(to.number) != simdjson::SUCCESS) return false;
    // 1.0 is a whole number in JSON schemas as it is in JSON.
    const bool whole = std::floor(to.number) == to.number;
    to.kind = whole ? JsonNode::Kind::whole : JsonNode::Kind::number;
    to.text = simdjson::minify(from);
    return true;
  }
  bool list(const element& from, JsonNode& to) {
    to.kind = JsonNode::Kind::list;
    simdjson::dom::array items;
    if (from.get(items) != simdjson::SUCCESS) return false;
    for (const element item : items) {
      if (!value(item, to.items.emplace_back())) return false;
    }
    return true;
  }
  bool object(const element& from, JsonNode& to) {
    to.kind = JsonNode::Kind::object;
    simdjson::dom::object members;
    if (from.get(members) != simdjson::SUCCESS) return false;
    for (const auto& [key, member] : members) {
      JsonNode& node = to.items.emplace_back();
      node.key = key;
      if (!value(member, node)) return false;
    }
    return true;
  }

  size_t values_ = 0;
};

std::unexpected<Error> refusal(simdjson::error_code error) {
  switch (error) {
    case simdjson::DEPTH_ERROR:
      return fail(Code::exhausted, "the JSON text is more than 32 values deep");
    case simdjson::MEMALLOC: return fail(Code::exhausted, "no memory for a JSON text");
    case simdjson::UTF8_ERROR: return fail(Code::bad_input, "not JSON: it is not UTF-8");
    default: return fail(Code::bad_input, "not JSON: it is broken, or cut off");
  }
}

}  // namespace

const JsonNode* JsonNode::find(std::string_view name) const {
  if (!is_object()) return nullptr;
  for (const JsonNode& item : items) {
    if (item.key == name) return &item;
  }
  return nullptr;
}

std::string_view JsonNode::text_of(std::string_view name) const {
  const JsonNode* const node = find(name);
  return node != nullptr && node->is_text() ? std::string_view(node->text) : std::string_view();
}

Result<JsonNode> read_json(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (text.size() > kMostJsonBytes) {
    return fail(Code::exhausted, "the JSON text is larger than 32 MiB");
  }
  if (trim(text).empty()) return fail(Code::bad_input, "not JSON: there is nothing");
  simdjson::dom::parser parser(kMostJsonBytes + 1);
  if (parser.allocate(text.size() + 1, kMostJsonDepth) != simdjson::SUCCESS) {
    return fail(Code::exhausted, "no memory for a JSON text");
  }
  const simdjson::padded_string padded(text);
  element root;
  if (const auto error = parser.parse(padded).get(root)) return refusal(error);
  JsonNode node;
  if (!Copy().value(root, node)) {
    return fail(Code::exhausted, "the JSON text has too many values");
  }
  return node;
}

}  // namespace watchpost::feedback
