#pragma once
#include "base/time.h"
#include "model/event.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace watchpost::ingest {

// Remembers which events were seen, so that one read twice counts once.
//   Threads: none inside.
//   Rules:   an id is known for at least `span` after it was added, and for at most twice that;
//            sooner forgotten only where more than `most` ids came within it (see forgotten_early).
//            Keeps 64 bits of each id: of 8 million ids a new one is taken for a known one with a
//            probability of 1 in 2 * 10^12.
class SeenIds {
 public:
  explicit SeenIds(Duration span = std::chrono::hours(24), size_t most = 8'000'000);

  // False where the id is known.
  bool add(const EventId& id, Time now);

  size_t size() const { return newer_.count + older_.count; }
  size_t bytes() const;
  uint64_t forgotten_early() const { return forgotten_early_; }

 private:
  // An open-addressing table of fingerprints; 0 is an empty slot.
  struct Table {
    std::vector<uint64_t> slots;
    size_t count = 0;
    Time since{};

    bool has(uint64_t fingerprint) const;
    void add(uint64_t fingerprint);
  };
  void turn(Time now);

  Duration span_;
  size_t most_each_;
  Table newer_;
  Table older_;
  uint64_t forgotten_early_ = 0;
};

}  // namespace watchpost::ingest
