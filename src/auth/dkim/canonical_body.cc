#include "auth/dkim/canonical_body.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace watchpost::auth {
namespace {

using namespace std::string_view_literals;

// Sixteen bytes at once; the compiler knows what the machine has for it.
using Lanes = uint8_t __attribute__((vector_size(16)));
constexpr size_t kLanes = sizeof(Lanes);

Lanes load(const char* bytes) {
  Lanes lanes;
  std::memcpy(&lanes, bytes, sizeof lanes);
  return lanes;
}

// Where in sixteen bytes something else has to be done than to copy them: set lanes. `next` are the
// bytes each one stands before.
template <bool kRelaxed>
auto stops(Lanes here, Lanes next) {
  // A line that may be empty, and a line feed without its carriage return.
  auto found =
      ((here == '\n') & ((next == '\r') | (next == '\n'))) | ((next == '\n') & (here != '\r'));
  if constexpr (kRelaxed) {
    const auto blank_next = (next == ' ') | (next == '\t') | (next == '\r') | (next == '\n');
    found |= (here == '\t') | ((here == ' ') & blank_next);
  }
  return found;
}

constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }
constexpr bool is_line_end(char c) { return c == '\r' || c == '\n'; }

// The same of one byte.
template <bool kRelaxed>
bool stops(char here, char next) {
  if (here == '\n' && is_line_end(next)) return true;
  if (next == '\n' && here != '\r') return true;
  return kRelaxed && (here == '\t' || (here == ' ' && (is_blank(next) || is_line_end(next))));
}

// The first place from `at` on at which to stop; the last byte has none behind it and is not asked.
template <bool kRelaxed>
size_t next_stop(std::string_view text, size_t at) {
  for (; at + kLanes < text.size(); at += kLanes) {
    const auto found = stops<kRelaxed>(load(text.data() + at), load(text.data() + at + 1));
    std::array<uint64_t, 2> halves;
    static_assert(sizeof halves == sizeof found);
    std::memcpy(&halves, &found, sizeof halves);
    if ((halves[0] | halves[1]) == 0) continue;
    if constexpr (std::endian::native != std::endian::little) break;
    const size_t first = halves[0] != 0 ? 0 : 1;
    return at + first * 8 + static_cast<size_t>(std::countr_zero(halves[first])) / 8;
  }
  while (at + 1 < text.size() && !stops<kRelaxed>(text[at], text[at + 1])) ++at;
  return at;
}

constexpr auto kLineEnds =
    "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n"
    "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n"sv;

}  // namespace

size_t CanonicalBody::want(std::optional<uint64_t> limit) {
  const auto same = std::ranges::find(wanted_, limit, &Wanted::limit);
  if (same != wanted_.end()) return static_cast<size_t>(same - wanted_.begin());
  wanted_.push_back({limit, {}, {}});
  return wanted_.size() - 1;
}

void CanonicalBody::add(std::string_view piece) {
  if (piece.empty()) return;
  size_t at = 0;
  if (held_cr_) {
    held_cr_ = false;
    if (piece.front() == '\n') {
      line_end();
      at = 1;
    } else {
      before_text();
      put("\r");
    }
  }
  while (at < piece.size()) {
    const char c = piece[at];
    const bool odd = c == '\r' || c == '\n' || (relaxed_ && is_blank(c));
    at = odd ? odd_bytes(piece, at) : plain_run(piece, at);
  }
}

size_t CanonicalBody::odd_bytes(std::string_view piece, size_t at) {
  if (piece[at] == '\n') {
    line_end();
  } else if (piece[at] != '\r') {
    blank_ = true;
  } else if (at + 1 == piece.size()) {
    held_cr_ = true;
  } else if (piece[at + 1] == '\n') {
    line_end();
    return at + 2;
  } else {
    before_text();
    put("\r");
  }
  return at + 1;
}

size_t CanonicalBody::plain_run(std::string_view piece, size_t at) {
  before_text();
  size_t end = relaxed_ ? next_stop<true>(piece, at) : next_stop<false>(piece, at);
  const char last = piece[end];
  const bool of_run = end + 1 < piece.size() ? !(relaxed_ && is_blank(last))
                                             : last != '\r' && !(relaxed_ && is_blank(last));
  if (of_run) ++end;
  put(piece.substr(at, end - at));
  at_line_begin_ = piece[end - 1] == '\n';
  return end;
}

void CanonicalBody::line_end() {
  blank_ = false;
  if (at_line_begin_) {
    ++empty_lines_;
    return;
  }
  put("\r\n");
  at_line_begin_ = true;
}

void CanonicalBody::before_text() {
  while (empty_lines_ > 0) {
    const uint64_t some = std::min<uint64_t>(empty_lines_, kLineEnds.size() / 2);
    put(kLineEnds.substr(0, some * 2));
    empty_lines_ -= some;
  }
  if (blank_) put(" ");
  blank_ = false;
  at_line_begin_ = false;
}

void CanonicalBody::finish() {
  if (held_cr_) {
    before_text();
    put("\r");
  }
  // A last line without its end is given one. A body of nothing is nothing when relaxed, and one
  // line end when simple (RFC 6376 section 3.4.3).
  if (any_ ? !at_line_begin_ : !relaxed_) put("\r\n");
  flush();
  for (Wanted& one : wanted_) one.digest = one.stream.finish();
}

void CanonicalBody::put(std::string_view bytes) {
  any_ = true;
  while (!bytes.empty()) {
    const size_t count = std::min(bytes.size(), block_.size() - filled_);
    std::memcpy(block_.data() + filled_, bytes.data(), count);
    filled_ += count;
    bytes.remove_prefix(count);
    if (filled_ == block_.size()) flush();
  }
}

void CanonicalBody::flush() {
  const std::string_view bytes(block_.data(), filled_);
  for (Wanted& one : wanted_) {
    const uint64_t left = one.limit ? *one.limit - std::min(*one.limit, size_) : filled_;
    one.stream.add(bytes.substr(0, std::min<uint64_t>(left, filled_)));
  }
  if (kept_ != nullptr) kept_->append(bytes);
  size_ += filled_;
  filled_ = 0;
}

}  // namespace watchpost::auth
