#include "auth/dkim/canonical_body.h"

#include <algorithm>
#include <bit>
#include <cstring>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

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

// Where something else may have to be done than to copy the byte: set lanes, some of them for
// nothing. `next` are the bytes each one stands before.
template <bool kRelaxed>
Lanes stops(Lanes here, Lanes next) {
  const auto cr = here == '\r', lf = next == '\n';
  // A line end that is not both of its bytes, and one that another one may follow.
  auto found = (cr ^ lf) | ((here == '\n') & (next < ' '));
  if constexpr (kRelaxed) found |= (here == '\t') | ((here == ' ') & (next <= ' '));
  return std::bit_cast<Lanes>(found);
}

// A bit for each set lane.
uint32_t bits_of(Lanes lanes) {
#ifdef __SSE2__
  return static_cast<uint32_t>(_mm_movemask_epi8(std::bit_cast<__m128i>(lanes)));
#else
  uint32_t bits = 0;
  for (size_t i = 0; i < kLanes; ++i) bits |= uint32_t{lanes[i] != 0} << i;
  return bits;
#endif
}

constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }
constexpr bool is_line_end(char c) { return c == '\r' || c == '\n'; }

// The same of one byte, and for certain.
template <bool kRelaxed>
bool stops(char here, char next) {
  if (here == '\n' && is_line_end(next)) return true;
  if (next == '\n' && here != '\r') return true;
  return kRelaxed && (here == '\t' || (here == ' ' && (is_blank(next) || is_line_end(next))));
}

// The first place from `at` on at which to stop; the last byte has none behind it and is not asked.
template <bool kRelaxed>
size_t next_stop(std::string_view text, size_t at) {
  while (at + 2 * kLanes < text.size()) {
    const char* const here = text.data() + at;
    const Lanes first = stops<kRelaxed>(load(here), load(here + 1));
    const Lanes second = stops<kRelaxed>(load(here + kLanes), load(here + kLanes + 1));
    const uint32_t found = bits_of(first) | bits_of(second) << kLanes;
    if (found == 0) {
      at += 2 * kLanes;
      continue;
    }
    at += static_cast<size_t>(std::countr_zero(found));
    if (stops<kRelaxed>(text[at], text[at + 1])) return at;
    ++at;
  }
  while (at + 1 < text.size() && !stops<kRelaxed>(text[at], text[at + 1])) ++at;
  return at;
}

size_t behind_blanks(std::string_view text, size_t at) {
  while (at < text.size() && is_blank(text[at])) ++at;
  return at;
}

constexpr auto kLineEnds =
    "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n"
    "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n"sv;

}  // namespace

bool CanonicalBody::has_room_for(std::optional<uint64_t> limit) const {
  return wanted_.size() < kMostLimits ||
         std::ranges::find(wanted_, limit, &Wanted::limit) != wanted_.end();
}

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
  while (true) {
    size_t end = relaxed_ ? next_stop<true>(piece, at) : next_stop<false>(piece, at);
    const bool blank = relaxed_ && is_blank(piece[end]);
    if (!blank && (end + 1 < piece.size() || piece[end] != '\r')) ++end;
    // Blanks between words are one, and most lines that have several have them here.
    const size_t text = blank ? behind_blanks(piece, end) : piece.size();
    const bool goes_on = text < piece.size() && !is_line_end(piece[text]);
    if (goes_on && piece[end] == ' ') ++end;
    put(piece.substr(at, end - at));
    at_line_begin_ = end > at ? piece[end - 1] == '\n' : at_line_begin_;
    if (!goes_on) return end;
    if (piece[end - 1] != ' ') put(" ");
    at_line_begin_ = false;
    at = text;
  }
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
  while (bytes.size() > block_.size() - filled_) {
    const size_t count = block_.size() - filled_;
    std::memcpy(block_.data() + filled_, bytes.data(), count);
    filled_ += count;
    bytes.remove_prefix(count);
    flush();
  }
  std::memcpy(block_.data() + filled_, bytes.data(), bytes.size());
  filled_ += bytes.size();
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
