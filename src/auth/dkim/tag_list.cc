#include "auth/dkim/tag_list.h"

#include "base/ascii.h"
#include "base/text.h"

#include <algorithm>

#include <fmt/format.h>

namespace watchpost::auth {
namespace {

constexpr bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
constexpr bool is_letter(char c) { return to_lower(c) >= 'a' && to_lower(c) <= 'z'; }

std::string_view without_blank_ends(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// A carriage return is a blank only as a part of a fold.
bool has_stray_cr(std::string_view text) {
  for (size_t at = text.find('\r'); at != std::string_view::npos; at = text.find('\r', at + 1)) {
    if (at + 1 >= text.size() || text[at + 1] != '\n') return true;
  }
  return false;
}

bool is_name(std::string_view name) {
  return !name.empty() && is_letter(name.front()) &&
         std::ranges::all_of(name, [](char c) { return is_letter(c) || is_digit(c) || c == '_'; });
}

bool is_value(std::string_view value) {
  return std::ranges::all_of(value, [](char c) {
    return is_blank(c) || static_cast<unsigned char>(c) >= 0x80 || (c > ' ' && c < 0x7F);
  });
}

constexpr size_t kShownName = 20;

}  // namespace

TagList TagList::read(std::string_view text) {
  TagList list;
  list.tags_.reserve(12);
  if (has_stray_cr(text)) {
    list.fault_ = "has a carriage return that ends no line";
    return list;
  }
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(';', begin), text.size());
    const std::string_view one = text.substr(begin, end - begin);
    // One semicolon may stand behind the last tag.
    if (end == text.size() && begin > 0 && without_blank_ends(one).empty()) break;
    if (!list.take(text, begin, end)) return list;
    begin = end + 1;
  }
  if (list.tags_.empty()) list.fault_ = "has no tags";
  return list;
}

bool TagList::take(std::string_view text, size_t begin, size_t end) {
  const std::string_view one = text.substr(begin, end - begin);
  const size_t equals = one.find('=');
  if (equals == std::string_view::npos) {
    fault_ = "has a tag without a value, or a semicolon too many";
    return false;
  }
  const std::string_view name = without_blank_ends(one.substr(0, equals));
  const std::string_view value = without_blank_ends(one.substr(equals + 1));
  if (!is_name(name) || !is_value(value)) {
    fault_ = fmt::format("has bytes that no tag may have, at {}=", escaped(name, kShownName));
  } else if (find(name) != nullptr) {
    fault_ = fmt::format("has the tag {}= twice", escaped(name, kShownName));
  } else if (tags_.size() >= kMostTags) {
    fault_ = fmt::format("has more than {} tags", kMostTags);
  }
  if (!fault_.empty()) return false;
  tags_.push_back({name, value, begin + equals + 1, end});
  return true;
}

const Tag* TagList::find(std::string_view name) const {
  const auto found = std::ranges::find(tags_, name, &Tag::name);
  return found == tags_.end() ? nullptr : &*found;
}

std::vector<std::string_view> items_of(std::string_view value) {
  std::vector<std::string_view> items = split(value, ':');
  for (std::string_view& item : items) item = without_blank_ends(item);
  return items;
}

bool has_item(std::string_view value, std::string_view word) {
  while (true) {
    const size_t colon = value.find(':');
    if (equal_nocase(without_blank_ends(value.substr(0, colon)), word)) return true;
    if (colon == std::string_view::npos) return false;
    value.remove_prefix(colon + 1);
  }
}

std::string without_blanks(std::string_view value) {
  std::string text;
  text.reserve(value.size());
  std::ranges::copy_if(value, std::back_inserter(text), [](char c) { return !is_blank(c); });
  return text;
}

}  // namespace watchpost::auth
