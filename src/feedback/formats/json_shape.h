#pragma once
#include "feedback/formats/json_tokens.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace watchpost::feedback {

// All of a JSON text but its values: keys, brackets, commas and colons, as they stand there. A
// program writes its records in a few shapes again and again. In two texts of one shape each value
// stands at the same JsonPlace, so that only the first of them needs a JsonWalk; to compare takes a
// few instructions for each value.
//   Use:     learn() from a text that was walked over, then fits() for others.
//   Owns:    what it compares with: about 40 bytes for each value.
//   Threads: none inside.
class JsonShape {
 public:
  static constexpr size_t kMostTokens = 1024;  // of a text that can be learned
  static constexpr size_t kMostPieces = 256;

  // Forgets what it was before. False where the text has too many tokens or bytes; fits nothing
  // then.
  bool learn(const JsonTokens& tokens);
  // Whether a JsonWalk over the text takes the same steps as over the one that was learned.
  bool fits(const JsonTokens& tokens) const;

 private:
  // What stands between two values, in pieces of this many bytes at most.
  static constexpr size_t kPieceBytes = 32;
  struct Piece {
    uint32_t token = 0;
    uint16_t behind = 0;  // bytes from the token to the piece
    uint16_t size = 0;
    std::array<char, kPieceBytes> bytes{};
  };
  bool add(const JsonTokens& tokens, uint32_t first, uint32_t last);

  size_t tokens_ = 0;
  std::vector<Piece> pieces_;
  std::vector<uint32_t> values_;  // texts, numbers and words
};

// The shapes of the texts of one writer. Learns those that come again, and gives up on the others:
// where no two texts are alike, they cost little.
//   Use:     find() for each text; where there is none, a JsonWalk over it, then learn().
//   Owns:    at most kMost shapes, of some kilobytes each.
//   Threads: none inside.
class JsonShapes {
 public:
  static constexpr size_t kMost = 64;
  static constexpr size_t kNone = SIZE_MAX;

  JsonShapes();
  // The number of the text's shape, below kMost.
  size_t find(const JsonTokens& tokens);
  // The number by which its shape is known from now on; whatever had it before is forgotten. kNone
  // where it was not learned, which is not worth it each time.
  size_t learn(const JsonTokens& tokens);

 private:
  static constexpr size_t kInGroup = 4;  // shapes among which one is looked for
  static constexpr size_t kGroups = kMost / kInGroup;
  // Misfits in a row before a shape is given up: one that is new, and one that did fit a text.
  static constexpr uint32_t kPatience = 8;
  static constexpr uint32_t kLongPatience = 64;
  static constexpr uint32_t kShortestPause = 8;
  static constexpr uint32_t kLongestPause = 4096;
  struct Known {
    JsonShape shape;
    uint32_t patience = 0;  // 0: given up
    bool useful = false;    // did fit a text
  };
  using Group = std::array<uint8_t, kInGroup>;  // numbers, the likeliest first
  Group& group_of(const JsonTokens& tokens) { return groups_[tokens.count() % kGroups]; }
  void misfit(Known& known);

  std::vector<Known> known_;
  std::array<Group, kGroups> groups_{};
  uint32_t pause_ = kShortestPause;  // texts of no known shape between two that are learned
  uint32_t waits_ = 0;               // such texts until the next is
};

}  // namespace watchpost::feedback
