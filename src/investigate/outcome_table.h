#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace watchpost::investigate {

// What is known of one message to one recipient, or of a whole message as it was accepted. Joining
// is the same in any order.
struct Outcome {
  enum Flag : uint32_t {
    delivered = 1,
    deferred = 2,
    bounced = 4,
    expired = 8,
    complained = 16,
    withdrawn = 32,
    unsubscribed = 64,
    accepted = 128,  // by itself, for this recipient
    refused = 256,
    own_time = 512,  // its hour is from our own log, not from feedback
    reports = 1024,  // the provider tells of complaints
    whole = 2048,    // a message as it was accepted, for all of its recipients
    loose = 4096,    // told by others, and not of which message to that recipient
  };
  static constexpr uint32_t kMostHours = (1U << 19) - 1;
  static constexpr uint32_t kMostGroups = (1U << 14) - 1;
  static constexpr uint32_t kNoClass = 31;
  static constexpr uint32_t kMostDeferrals = (1U << 13) - 1;
  static constexpr uint32_t kMostRecipients = (1U << 18) - 1;

  uint32_t flags = 0;          // never none
  uint32_t hour = 0;           // when it was sent; the earliest that is told
  uint32_t group = 0;          // 0: not known; of several the least
  uint32_t bounce = kNoClass;  // class of the reply; of several the first in their list
  uint32_t count = 0;          // deferrals; of a whole message its recipients

  bool has(Flag flag) const { return (flags & flag) != 0; }
  void join(const Outcome& other);
  bool operator==(const Outcome&) const = default;
};

// Outcomes by message and recipient, 16 bytes each.
//   Memory: never more than `most` of them: when there are too many, every second one goes, by its
//           key, and sampled() doubles. What is counted of those that are left, times sampled(), is
//           then an estimate of the whole.
//   Threads: none inside.
class OutcomeTable {
 public:
  explicit OutcomeTable(size_t most);

  // Of a message to somebody: two with the same recipient differ in the last bits alone.
  static constexpr uint64_t key_of(uint64_t recipient, uint64_t message) {
    return (recipient & ~kMessageBits) | ((recipient ^ message) & kMessageBits);
  }
  static constexpr uint64_t recipient_of(uint64_t key) { return key & ~kMessageBits; }

  // `key` is a hash: all its bits count.
  void add(uint64_t key, const Outcome& outcome);
  uint64_t sampled() const { return uint64_t{1} << halved_; }
  size_t size() const { return size_; }
  template <class Each>
  void each(const Each& call) const {
    each_key([&](uint64_t, const Outcome& outcome) { call(outcome); });
  }
  template <class Each>
  void each_key(const Each& call) const {
    for (const Entry& entry : entries_) {
      if (entry.packed != 0) call(entry.key, unpacked(entry.packed));
    }
  }

 private:
  struct Entry {
    uint64_t key = 0;
    uint64_t packed = 0;  // 0: empty
  };
  static constexpr uint64_t kMessageBits = (uint64_t{1} << 24) - 1;
  static uint64_t packed(const Outcome& outcome);
  static Outcome unpacked(uint64_t packed);
  bool is_in_sample(uint64_t key) const { return halved_ == 0 || (key >> (64 - halved_)) == 0; }
  Entry& slot_of(uint64_t key);
  void make_room();
  void rebuild(size_t slots);

  const size_t most_;
  std::vector<Entry> entries_;
  size_t size_ = 0;
  unsigned halved_ = 0;
};

}  // namespace watchpost::investigate
