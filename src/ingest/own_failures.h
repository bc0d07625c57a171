#pragma once
#include "model/event.h"

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <unordered_set>

namespace watchpost::ingest {

// Mail that our own servers gave up lately, known by its Message-ID and recipient: the notice that
// such a server writes comes back as feedback, and is no second bounce.
//   Owns:    the last kMost to twice as many of them, as hashes: at most about 40 MB.
//   Threads: any.
class OwnFailures {
 public:
  static constexpr size_t kMost = 500'000;

  // Notes bounces and expiries that are no feedback themselves.
  void note(const Event& event);
  bool has(std::string_view message_id, std::string_view recipient) const;

 private:
  mutable std::mutex mutex_;
  std::unordered_set<uint64_t> newer_;
  std::unordered_set<uint64_t> older_;
};

}  // namespace watchpost::ingest
