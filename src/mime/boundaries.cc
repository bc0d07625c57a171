#include "mime/boundaries.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace watchpost::mime {
namespace {

static_assert(std::endian::native == std::endian::little);

// How many bytes both begin with.
size_t common_beginning(std::string_view left, std::string_view right) {
  const size_t most = std::min(left.size(), right.size());
  size_t at = 0;
  for (; most - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
    uint64_t a = 0, b = 0;
    std::memcpy(&a, left.data() + at, sizeof a);
    std::memcpy(&b, right.data() + at, sizeof b);
    if (a != b) return at + static_cast<size_t>(std::countr_zero(a ^ b)) / 8;
  }
  while (at < most && left[at] == right[at]) ++at;
  return at;
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r") == std::string_view::npos;
}

// What stands behind a boundary says whether it is one.
Delimiter judged(std::string_view behind, size_t level, bool cut) {
  using enum Delimiter::Kind;
  if (cut) return {next_part, level, true};
  if (behind.starts_with("--")) return {end, level, !is_blank(behind.substr(2))};
  if (behind.empty()) return {next_part, level, false};
  if (is_blank(behind.substr(0, 1))) return {next_part, level, !is_blank(behind)};
  return {none, level, true};
}

}  // namespace

// The first one that is sorted behind the text.
Boundaries::Places::const_iterator Boundaries::behind(std::string_view text) const {
  return std::ranges::upper_bound(sorted_, text, {}, [this](uint32_t place) -> std::string_view {
    return opened_[place].text;
  });
}

// What begins a text is sorted before it, and begins all that is sorted in between: so it is the
// nearest one before the text, or begins that one and is no longer than what both have in common.
uint32_t Boundaries::longest_beginning(std::string_view text) const {
  const auto place = behind(text);
  if (place == sorted_.begin()) return kNone;
  uint32_t at = *std::prev(place);
  const size_t common = common_beginning(text, opened_[at].text);
  while (at != kNone && opened_[at].text.size() > common) at = opened_[at].shorter;
  return at;
}

void Boundaries::open(std::string_view boundary, size_t level) {
  const std::string_view text = boundary.substr(0, longest_);
  const auto added = static_cast<uint32_t>(opened_.size());
  opened_.push_back({.text = std::string(text),
                     .level = level,
                     .shorter = longest_beginning(text),
                     .cut = boundary.size() > longest_});
  auto place = sorted_.insert(behind(text), added);
  while (++place != sorted_.end() && opened_[*place].text.starts_with(text)) {
    Open& longer = opened_[*place];
    const bool nearer =
        longer.shorter == kNone || opened_[longer.shorter].text.size() <= text.size();
    if (nearer) longer.shorter = added;
  }
}

void Boundaries::close_last() {
  const Open& last = opened_.back();
  const auto closed = static_cast<uint32_t>(opened_.size() - 1);
  // Of those alike the last one opened is sorted last.
  auto place = sorted_.erase(std::prev(behind(last.text)));
  for (; place != sorted_.end() && opened_[*place].text.starts_with(last.text); ++place) {
    if (opened_[*place].shorter == closed) opened_[*place].shorter = last.shorter;
  }
  opened_.pop_back();
}

void Boundaries::close_from(size_t level) {
  while (!opened_.empty() && opened_.back().level >= level) close_last();
}

bool Boundaries::clashes(std::string_view boundary) const {
  const std::string_view compared = boundary.substr(0, longest_);
  const auto place = std::ranges::lower_bound(
      sorted_, compared, {}, [this](uint32_t at) -> std::string_view { return opened_[at].text; });
  return place != sorted_.end() && opened_[*place].text.starts_with(compared);
}

Delimiter Boundaries::find(std::string_view line) const {
  if (!line.starts_with("--")) return {};
  const std::string_view text = line.substr(2);
  Delimiter seen;
  uint32_t at = longest_beginning(text.substr(0, longest_));
  for (; at != kNone; at = opened_[at].shorter) {
    const Open& open = opened_[at];
    const Delimiter found = judged(text.substr(open.text.size()), open.level, open.cut);
    if (found.kind != Delimiter::Kind::none) return found;
    seen.odd = true;
  }
  return seen;
}

}  // namespace watchpost::mime
