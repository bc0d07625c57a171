#pragma once
#include "base/result.h"
#include "base/time.h"
#include "feedback/classifier.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace watchpost::feedback {

// A reply without what differs from one to the next: the words of ReplyWords, where numbers and ids
// are "<id>", hosts "<host>", URLs "<url>" and addresses "@".
std::string reply_wording(std::string_view reply);

// Replies that share their wording.
struct ReplyCluster {
  std::string wording;  // "<word>" where they differ
  std::string example;  // the first of them, as it came
  uint64_t count = 0;
  std::optional<Time> first_seen;  // where times were told
  std::optional<Time> last_seen;
  // How many of whom; those of too many others are only in `count`.
  std::map<std::string, uint64_t, std::less<>> providers;
};

struct UnknownReply {
  std::string_view text;
  std::string_view provider = {};
  std::optional<Time> at = {};
};

// Groups replies by wording, within bounds: where there are too many clusters, the least useful
// (fewest replies, seen longest ago) go, and are counted.
//   Threads: none inside.
class ReplyClusters {
 public:
  static constexpr size_t kMostProviders = 8;     // of a cluster
  static constexpr size_t kLongestWording = 512;  // bytes; what is behind is not compared
  static constexpr size_t kLongestExample = 2048;

  explicit ReplyClusters(size_t most);

  void add(const UnknownReply& reply);

  // The most frequent first, then the oldest.
  std::vector<ReplyCluster> sorted() const;
  uint64_t replies() const { return replies_; }
  uint64_t forgotten() const { return forgotten_; }  // replies of clusters that had to go

 private:
  struct Held {
    ReplyCluster cluster;
    std::vector<std::string> words;
  };
  size_t place_of(std::string wording);
  std::optional<size_t> similar(const std::vector<std::string>& words) const;
  void forget_some();
  void index();

  size_t most_;
  std::vector<Held> held_;
  std::unordered_map<std::string, size_t> exact_;             // wording as met -> place
  std::unordered_map<size_t, std::vector<size_t>> by_words_;  // number of words -> places
  uint64_t replies_ = 0;
  uint64_t forgotten_ = 0;
};

// A rule for a cluster in TOML, to stand at the end of a rule file: the longest piece of its
// wording that all of its replies share. Errors: bad_input where no piece is long enough to mean
// anything.
Result<std::string> rule_for(const ReplyCluster& cluster, std::string_view name,
                             std::string_view class_name, std::string_view detail);

}  // namespace watchpost::feedback
