#include "auth/dkim/canonical_header.h"

#include "base/ascii.h"

#include <algorithm>
#include <numeric>

namespace watchpost::auth {
namespace {

constexpr bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// Line ends become CRLF; the one behind the field is left out.
void append_simple(std::string& text, std::string_view piece) {
  while (true) {
    const size_t end = piece.find('\n');
    if (end == std::string_view::npos) break;
    const bool crlf = end > 0 && piece[end - 1] == '\r';
    text.append(piece.substr(0, crlf ? end - 1 : end));
    text.append("\r\n");
    piece.remove_prefix(end + 1);
  }
  text.append(piece);
}

// What stands behind the colon, in any number of pieces.
class RelaxedValue {
 public:
  explicit RelaxedValue(std::string& text) : text_(text) {}

  void add(std::string_view piece) {
    for (size_t at = 0; at < piece.size();) {
      const size_t end = find_any<' ', '\t', '\r', '\n'>(piece, at);
      if (end > at) put(piece.substr(at, end - at));
      at = end;
      for (; at < piece.size() && is_blank(piece[at]); ++at) {
        // A carriage return that ends no line is no blank.
        if (piece[at] == '\r' && piece.substr(at + 1, 1) != "\n") {
          put("\r");
        } else {
          blank_ |= piece[at] == ' ' || piece[at] == '\t';
        }
      }
    }
  }

 private:
  void put(std::string_view run) {
    if (blank_ && any_) text_ += ' ';
    blank_ = false;
    any_ = true;
    text_.append(run);
  }

  std::string& text_;
  bool blank_ = false;  // blanks that stand before text or are dropped
  bool any_ = false;
};

std::string_view without_line_end(std::string_view raw) {
  if (raw.ends_with('\n'))
    raw.remove_suffix(1);
  else
    return raw;
  if (raw.ends_with('\r')) raw.remove_suffix(1);
  return raw;
}

void append_relaxed_name(std::string& text, std::string_view name) {
  while (!name.empty() && is_blank(name.back())) name.remove_suffix(1);
  for (const char c : name) text += to_lower(c);
  text += ':';
}

int compare_nocase(std::string_view left, std::string_view right) {
  if (left.size() != right.size()) return left.size() < right.size() ? -1 : 1;
  for (size_t i = 0; i < left.size(); ++i) {
    const char a = to_lower(left[i]), b = to_lower(right[i]);
    if (a != b) return a < b ? -1 : 1;
  }
  return 0;
}

}  // namespace

void append_canonical(std::string& text, std::string_view raw, Canonicalisation how, Gap gap) {
  raw = without_line_end(raw);
  const std::string_view behind = raw.substr(std::min(gap.end, raw.size()));
  const std::string_view before = gap.end == 0 ? std::string_view() : raw.substr(0, gap.begin);
  if (how == Canonicalisation::simple) {
    append_simple(text, before);
    append_simple(text, behind);
    return;
  }
  const std::string_view whole = gap.end == 0 ? behind : before;
  const size_t colon = std::min(whole.find(':'), whole.size());
  append_relaxed_name(text, whole.substr(0, colon));
  RelaxedValue value(text);
  value.add(whole.substr(std::min(colon + 1, whole.size())));
  if (gap.end != 0) value.add(behind);
}

FieldIndex::FieldIndex(std::span<const mime::Field> fields)
    : fields_(fields), by_name_(fields.size()) {
  std::iota(by_name_.begin(), by_name_.end(), 0U);
  std::ranges::sort(by_name_, [this](uint32_t left, uint32_t right) {
    const int order = compare_nocase(fields_[left].name, fields_[right].name);
    return order != 0 ? order < 0 : left < right;
  });
}

std::span<const uint32_t> FieldIndex::places(std::string_view name) const {
  const auto before = [&](uint32_t place) { return compare_nocase(fields_[place].name, name) < 0; };
  const auto same = [&](uint32_t place) { return compare_nocase(fields_[place].name, name) == 0; };
  const auto begin = std::ranges::partition_point(by_name_, before);
  if (begin == by_name_.end() || !same(*begin)) return {};
  // Most names are there once.
  auto end = begin + 1;
  if (end != by_name_.end() && same(*end)) end = std::partition_point(end, by_name_.end(), same);
  return {begin, end};
}

const mime::Field* FieldChoice::next(std::string_view name) {
  const auto places = index_.places(name);
  if (places.empty()) return nullptr;
  uint32_t& taken = taken_[places.front()];
  if (taken == places.size()) return nullptr;
  ++taken;
  return &index_.fields()[places[places.size() - taken]];
}

}  // namespace watchpost::auth
