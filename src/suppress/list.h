#pragma once
#include "base/time.h"
#include "model/suppression.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <shared_mutex>
#include <string_view>
#include <vector>

namespace watchpost::suppress {

// What the list knows of one suppression.
struct Entry {
  SuppressionReason reason = SuppressionReason::by_hand;
  bool lifted = false;
  bool by_person = false;     // as Suppression has it
  std::optional<Time> until;  // to the second, rounded up; nothing: until it is lifted
  Time lifted_at{};           // where it is; to the second, rounded down

  bool holds(Time now) const { return !lifted && (!until || now < *until); }
};

// All suppressions in memory, for who has to know at once. Texts are not kept: an entry is 16 bytes
// in tables that are between 57 % and 80 % full, found by 91 bits of a hash of customer and
// recipient. Two of ten million are taken for one another with a chance of about 2e-14, whatever
// is asked, and nobody outside can work out which. Those of one recipient for several reasons stand
// in one run of slots, so that one look-up sees them all.
//   Owns:    its tables. What was put stays: a suppression that ended is an entry that holds no
//            more.
//   Threads: any number may ask while one puts; who asks waits at most for one table of 64 to grow.
class List {
 public:
  // `seed`: unknown outside.
  explicit List(uint64_t seed) : seed_(seed) {}

  void put(const Suppression& one);
  // That of exactly this customer (empty: everybody) and reason; `recipient` as suppression_key()
  // has it.
  std::optional<Entry> of(std::string_view customer, std::string_view recipient,
                          SuppressionReason reason) const;
  // Those of exactly this customer, whatever the reason, whether they hold or not.
  std::vector<Entry> all_of(std::string_view customer, std::string_view recipient) const;
  // One that suppresses mail of `customer` to this recipient: one of this customer's or one of
  // everybody's. `address` as it is written; what is no address is never suppressed.
  std::optional<Entry> holding(std::string_view customer, std::string_view address, Time now) const;

  size_t size() const { return size_.load(std::memory_order_relaxed); }
  size_t bytes() const;
  // The number of the last change put: readers of the store see that it went on.
  uint64_t last_change() const { return last_change_.load(std::memory_order_acquire); }

 private:
  struct Slot {
    uint64_t key = 0;    // 0: free
    uint32_t time = 0;   // `until`, or when it was lifted; seconds since 1970
    uint32_t check = 0;  // 27 bits of the hash, then what the entry is
  };
  struct Found {
    uint64_t key;
    uint32_t check;
  };
  struct alignas(64) Table {
    mutable std::shared_mutex mutex;
    std::vector<Slot> slots;
    size_t used = 0;
  };

  static constexpr size_t kTables = 64;
  Found hash_of(std::string_view customer, std::string_view recipient) const;
  // The slot of the key whose `check` agrees in the bits of `mask`, or the free one where it
  // belongs. `slots` has a free one.
  static size_t place(const std::vector<Slot>& slots, const Found& wanted, uint32_t mask);
  static Entry entry_of(const Slot& slot);
  // Calls `each` for the entries of the key until it gives true.
  template <class Each>
  void look(const Found& wanted, const Each& each) const;
  // One that holds; nothing where none does.
  std::optional<Entry> held(std::string_view customer, std::string_view recipient, Time now) const;
  static void grow(Table& table);

  const uint64_t seed_;
  std::array<Table, kTables> tables_;
  std::atomic<size_t> size_{0};
  std::atomic<uint64_t> last_change_{0};
};

}  // namespace watchpost::suppress
