#pragma once
#include "base/hash.h"
#include "base/time.h"
#include "detect/bodies.h"
#include "detect/memory.h"
#include "detect/stream_record.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::detect {

// All streams of all groups: found by key, numbered, evicted where memory runs out.
//   Use:     find(); or, where it is not there, drop what coldest() names until has_room(),
//            insert().
//   Owns:    records, counters and values; not what sketches() points to.
//   Why:     one table, so that there is one cap and one measure of cold. The numbers do not depend
//            on the seed: whom the hand meets next is the same in each run.
class StreamTable {
 public:
  static constexpr uint32_t kNone = ~uint32_t{0};

  // What a stream of a group has: so many Slots, perhaps a block of sketches, so many values.
  struct Shape {
    uint32_t series = 0;
    bool sketches = false;
    uint32_t values = 1;
  };
  StreamTable(const std::vector<Shape>& shape_of_group, size_t most_bytes);
  StreamTable(const StreamTable&) = delete;
  StreamTable& operator=(const StreamTable&) = delete;
  ~StreamTable();

  Hash128 hash_of(std::string_view value) const { return hash128(value, seed_); }
  // The key of a stream from its group and the hashes of its values, in the group's order.
  static StreamKey key_of(uint32_t group, std::span<const Hash128> values);

  uint32_t find(StreamKey key) const;
  // What find() will give, nearly always, without a look at the record itself.
  uint32_t likely(StreamKey key) const {
    for (size_t at = place_of(key.tag);; at = (at + 1) & mask()) {
      const Entry entry = entries_[at];
      if (entry.next == 0) return kNone;
      if (entry.tag == key.tag) return entry.next - 1;
    }
  }
  bool is(uint32_t stream, StreamKey key) const {
    return (*this)[stream].body != nullptr && (*this)[stream].check == key.check;
  }
  void prefetch(StreamKey key) const { __builtin_prefetch(&entries_[place_of(key.tag)]); }
  bool has_room();
  // A new stream without counters; the key is not there yet and has_room() is true.
  uint32_t insert(StreamKey key, uint32_t group, std::span<const std::string_view> values);
  // The body of another may move: Slots that are not near, and values, lie elsewhere then.
  void remove(uint32_t stream);
  bool over_limit() const { return memory_.bytes() > most_bytes_; }
  // The stream to evict next. There must be one.
  uint32_t coldest();
  // Streams in turn, for looking after them bit by bit; kNone where the next place is empty.
  uint32_t next_in_turn();

  StreamRecord& operator[](uint32_t stream) { return chunks_[stream / kChunk][stream % kChunk]; }
  const StreamRecord& operator[](uint32_t stream) const {
    return chunks_[stream / kChunk][stream % kChunk];
  }
  // Where the block of its sketches is kept; null where nothing has counted for one. Only of groups
  // that have sketches.
  std::byte*& sketches(StreamRecord& record) {
    return *reinterpret_cast<std::byte**>(record.body + layouts_[record.group].sketches_at);
  }
  // The same, or null where the group has none.
  const std::byte* sketches(const StreamRecord& record) const {
    const Layout& layout = layouts_[record.group];
    if (!layout.sketches) return nullptr;
    return *reinterpret_cast<std::byte* const*>(record.body + layout.sketches_at);
  }
  // Its values in the group's order; valid until the next call.
  std::vector<std::string_view> values(const StreamRecord& record) const;

  uint32_t end() const { return used_; }  // all numbers are below; unused ones have no body
  size_t size() const { return size_; }
  Memory& memory() { return memory_; }
  const Memory& memory() const { return memory_; }

 private:
  struct Entry {
    uint32_t tag = 0;
    uint32_t next = 0;  // the stream's number + 1; 0: empty
  };
  static constexpr uint32_t kChunk = 1024;

  // A body: the Slots that are not near, where the sketches are, the values packed.
  struct Layout {
    explicit Layout(const Shape& shape);

    uint32_t series;
    uint32_t values;
    uint32_t far_slots;
    uint32_t sketches_at;
    uint32_t values_at;
    bool sketches;
  };
  static size_t body_size(const Layout& layout, size_t values_size);
  size_t body_size(const StreamRecord& record) const;
  size_t place_of(uint32_t tag) const { return tag >> shift_; }
  size_t mask() const { return entries_.size() - 1; }
  void place(Entry entry);
  void grow();

  const std::vector<Layout> layouts_;  // by group
  const size_t most_bytes_;
  const uint64_t seed_;
  Memory memory_;
  Bodies bodies_{memory_};
  std::vector<Entry> entries_;
  uint32_t shift_;
  std::vector<std::unique_ptr<StreamRecord[]>> chunks_;
  uint32_t first_free_ = kNone;  // an unused record has the next one in `tag`
  uint32_t used_ = 0;
  size_t size_ = 0;
  uint32_t hand_ = 0;
  uint32_t turn_ = 0;
  mutable std::string unpacked_;
};

}  // namespace watchpost::detect
