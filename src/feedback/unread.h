#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::feedback {

// What a reader could not use, counted by reason with a few samples: shown by `watchpost sources`.
//   Threads: none inside.
class Unread {
 public:
  static constexpr size_t kSamples = 5;        // kept for each reason, the newest ones
  static constexpr size_t kSampleBytes = 400;  // of each

  // `reason` is one of a small fixed set of words, for example "no_timestamp".
  void count(std::string_view reason, std::string_view sample);

  struct Reason {
    uint64_t count = 0;
    std::vector<std::string> samples;
  };
  const std::map<std::string, Reason, std::less<>>& by_reason() const { return reasons_; }
  uint64_t total() const { return total_; }

 private:
  std::map<std::string, Reason, std::less<>> reasons_;
  uint64_t total_ = 0;
};

}  // namespace watchpost::feedback
