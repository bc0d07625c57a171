#pragma once
#include "auth/dkim/key_record.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace watchpost::auth {

// Key records by their text, with their keys taken apart: that costs as much as three
// verifications. What is in it is a function of the text alone, so it never is out of date.
//   Owns:    at most `most` records; the least used half goes first.
//   Threads: any.
class KeyCache {
 public:
  explicit KeyCache(size_t most = 10'000);
  // Never null. Texts of over kLongestKept bytes are read anew each time.
  std::shared_ptr<const KeyRecord> record(std::string_view text);
  size_t size() const;

  static constexpr size_t kLongestKept = 4'096;

 private:
  struct Hash {
    using is_transparent = void;
    uint64_t seed = 0;
    size_t operator()(std::string_view text) const;
  };
  using Records =
      std::unordered_map<std::string, std::shared_ptr<const KeyRecord>, Hash, std::equal_to<>>;

  std::shared_ptr<const KeyRecord> found(std::string_view text);

  mutable std::mutex mutex_;
  size_t most_of_each_;
  Records young_;  // used since the last change of generations
  Records old_;
};

}  // namespace watchpost::auth
