#pragma once
#include "model/event.h"

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <unordered_set>

namespace watchpost::ingest {

// Mail that our own servers gave up lately, known by its Message-ID and recipient. Such a server
// writes a notice of it that comes back as feedback: log and notice speak of one bounce, whichever
// of them is read first.
//   Owns:    of either side the last kMost to twice as many, as hashes: at most about 80 MB.
//   Threads: any.
class OwnFailures {
 public:
  static constexpr size_t kMost = 500'000;

  // Notes bounces and expiries: those of a log, and apart from them those of feedback that proved
  // itself.
  void note(const Event& event);
  // Whether a log has told of it.
  bool has(std::string_view message_id, std::string_view recipient) const;
  // Whether `event` is a log's, and feedback has told of it before.
  bool is_second(const Event& event) const;

 private:
  class Keys {
   public:
    void add(uint64_t key);
    bool contains(uint64_t key) const { return newer_.contains(key) || older_.contains(key); }

   private:
    std::unordered_set<uint64_t> newer_;
    std::unordered_set<uint64_t> older_;
  };

  mutable std::mutex mutex_;
  Keys logged_;
  Keys told_;
};

}  // namespace watchpost::ingest
