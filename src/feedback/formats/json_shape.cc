#include "feedback/formats/json_shape.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace watchpost::feedback {
namespace {

constexpr auto kIsStructure = [] {
  std::array<uint8_t, 256> is{};
  for (const char c : {'{', '}', '[', ']', ':', ','}) is[static_cast<uint8_t>(c)] = 1;
  return is;
}();

bool is_structure(char c) { return kIsStructure[static_cast<uint8_t>(c)] != 0; }

// The first `size` bytes of 32 count: read from 32 - size on.
constexpr auto kCounts = [] {
  std::array<char, 64> counts{};
  for (size_t i = 0; i < 32; ++i) counts[i] = '\xFF';
  return counts;
}();

// Sixteen bytes at once, on every machine that we run on.
using Bytes = uint64_t __attribute__((vector_size(16)));
[[gnu::always_inline]] inline Bytes bytes_at(const char* from) {
  Bytes bytes;
  std::memcpy(&bytes, from, sizeof bytes);
  return bytes;
}

}  // namespace

bool JsonShape::learn(const JsonTokens& tokens) {
  tokens_ = 0;
  pieces_.clear();
  values_.clear();
  const auto count = static_cast<uint32_t>(std::min(tokens.count(), kMostTokens + 1));
  if (count > kMostTokens) return false;
  const auto at = [&](uint32_t token) { return tokens.text()[tokens.first()[token]]; };
  // Keys as well as what only looks like one belong to the shape.
  const auto is_fixed = [&](uint32_t token) {
    return is_structure(at(token)) ||
           (at(token) == '"' && token + 1 < count && at(token + 1) == ':');
  };
  for (uint32_t token = 0; token < count;) {
    const uint32_t first = token;
    while (token < count && is_fixed(token)) ++token;
    if (token > first && !add(tokens, first, token)) return false;
    if (token < count) values_.push_back(token++);
  }
  tokens_ = count;
  return true;
}

bool JsonShape::add(const JsonTokens& tokens, uint32_t first, uint32_t last) {
  const uint32_t* const begins = tokens.first();
  // The last one is a bracket, a comma or a colon: a key has a colon behind it.
  const size_t size = begins[last - 1] + 1 - begins[first];
  if (size > UINT16_MAX) return false;
  for (size_t behind = 0; behind < size; behind += kPieceBytes) {
    if (pieces_.size() == kMostPieces) return false;
    Piece piece{.token = first,
                .behind = static_cast<uint16_t>(behind),
                .size = static_cast<uint16_t>(std::min(size - behind, kPieceBytes))};
    std::memcpy(piece.bytes.data(), tokens.text() + begins[first] + behind, piece.size);
    pieces_.push_back(piece);
  }
  return true;
}

// Where a text between two values is the same as the one that was learned, and begins at a token,
// it has the same tokens: it begins outside of any JSON text, and a backslash before it reaches no
// further than its first byte.
bool JsonShape::fits(const JsonTokens& tokens) const {
  if (tokens_ == 0 || tokens.count() != tokens_) return false;
  const char* const text = tokens.text();
  const uint32_t* const begins = tokens.first();
  const uint32_t end = begins[tokens_];
  Bytes differ{};
  for (const Piece& piece : pieces_) {
    const size_t at = size_t{begins[piece.token]} + piece.behind;
    if (at + kPieceBytes > end) {
      if (at + piece.size > end) return false;
      if (std::memcmp(text + at, piece.bytes.data(), piece.size) != 0) return false;
      continue;
    }
    const char* const counts = kCounts.data() + (kPieceBytes - piece.size);
    differ |= (bytes_at(text + at) ^ bytes_at(piece.bytes.data())) & bytes_at(counts);
    differ |=
        (bytes_at(text + at + 16) ^ bytes_at(piece.bytes.data() + 16)) & bytes_at(counts + 16);
  }
  uint64_t wrong = differ[0] | differ[1];
  for (const uint32_t value : values_) {
    wrong |= kIsStructure[static_cast<uint8_t>(text[begins[value]])];
  }
  return wrong == 0;
}

JsonShapes::JsonShapes() : known_(kMost) {
  for (size_t number = 0; number < kMost; ++number) {
    groups_[number / kInGroup][number % kInGroup] = static_cast<uint8_t>(number);
  }
}

size_t JsonShapes::find(const JsonTokens& tokens) {
  Group& group = group_of(tokens);
  for (size_t i = 0; i < kInGroup; ++i) {
    Known& known = known_[group[i]];
    if (known.patience == 0) continue;
    if (!known.shape.fits(tokens)) {
      misfit(known);
      continue;
    }
    if (!known.useful) pause_ = kShortestPause;
    known.useful = true;
    known.patience = kLongPatience;
    const size_t number = group[i];
    // So a shape that is rare is not compared with each text of one that is not.
    if (i > 0) std::swap(group[i], group[i - 1]);
    return number;
  }
  return kNone;
}

void JsonShapes::misfit(Known& known) {
  if (--known.patience > 0 || known.useful) return;
  pause_ = std::min(pause_ * 2, kLongestPause);
}

size_t JsonShapes::learn(const JsonTokens& tokens) {
  if (waits_ > 0) return --waits_, kNone;
  waits_ = pause_;
  // In place of one that was given up, or of the least likely.
  Group& group = group_of(tokens);
  const auto free =
      std::ranges::find_if(group, [&](uint8_t number) { return known_[number].patience == 0; });
  const size_t number = free == group.end() ? group.back() : *free;
  Known& known = known_[number];
  known.patience = known.shape.learn(tokens) ? kPatience : 0;
  known.useful = false;
  if (known.patience == 0) return kNone;
  return number;
}

}  // namespace watchpost::feedback
