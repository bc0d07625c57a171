#include "detect/stream_table.h"

#include "detect/packed_text.h"

#include <bit>
#include <cstring>
#include <new>
#include <random>
#include <utility>

namespace watchpost::detect {
namespace {

constexpr uint32_t kFirstBits = 10;  // of the table's size

uint64_t random_seed() {
  std::random_device device;
  return (uint64_t{device()} << 32) | device();
}

// Multiply and fold: each bit of both words reaches each bit of the result.
uint64_t mixed(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = Wide{a} * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

}  // namespace

StreamTable::StreamTable(std::vector<Shape> shape_of_group, size_t most_bytes)
    : shape_of_group_(std::move(shape_of_group)),
      most_bytes_(most_bytes),
      seed_(random_seed()),
      entries_(size_t{1} << kFirstBits),
      shift_(32 - kFirstBits) {
  memory_.add(entries_.size() * sizeof(Entry));
}

StreamTable::~StreamTable() {
  for (uint32_t stream = 0; stream < used_; ++stream) {
    if ((*this)[stream].body != nullptr) remove(stream);
  }
}

StreamKey StreamTable::key_of(uint32_t group, std::span<const Hash128> values) {
  // The constants are the fractions of the golden ratio and of the root of 2.
  uint64_t check = 0x9E3779B97F4A7C15 + group;
  uint64_t tag = 0x6A09E667F3BCC909 ^ group;
  for (const Hash128& value : values) {
    check = mixed(check ^ value.high, 0x9E3779B97F4A7C15) + value.low;
    tag = mixed(tag ^ value.low, 0x6A09E667F3BCC909) + value.high;
  }
  return {check, static_cast<uint32_t>(mixed(tag, 0x9E3779B97F4A7C15) >> 32)};
}

uint32_t StreamTable::find(StreamKey key) const {
  for (size_t at = place_of(key.tag);; at = (at + 1) & mask()) {
    const Entry entry = entries_[at];
    if (entry.next == 0) return kNone;
    if (entry.tag == key.tag && (*this)[entry.next - 1].check == key.check) return entry.next - 1;
  }
}

bool StreamTable::has_room() {
  if ((size_ + 1) * 4 <= entries_.size() * 3) return true;
  // While growing, the old table and the new one stand side by side.
  if (memory_.bytes() + 2 * entries_.size() * sizeof(Entry) > most_bytes_) return false;
  grow();
  return true;
}

void StreamTable::grow() {
  std::vector<Entry> old(entries_.size() * 2);
  old.swap(entries_);
  --shift_;
  memory_.add(old.size() * sizeof(Entry));
  for (const Entry entry : old) {
    if (entry.next != 0) place(entry);
  }
}

void StreamTable::place(Entry entry) {
  size_t at = place_of(entry.tag);
  while (entries_[at].next != 0) at = (at + 1) & mask();
  entries_[at] = entry;
}

uint32_t StreamTable::insert(StreamKey key, uint32_t group,
                             std::span<const std::string_view> values) {
  uint32_t stream = used_;
  if (first_free_ != kNone) {
    stream = first_free_;
    first_free_ = (*this)[stream].values_size;
  } else {
    if (used_ / kChunk == chunks_.size()) {
      chunks_.push_back(std::make_unique<StreamRecord[]>(kChunk));
      memory_.add(kChunk * sizeof(StreamRecord));
    }
    ++used_;
  }
  const size_t far = far_slots(group);
  size_t values_size = 0;
  for (const std::string_view value : values) values_size += packed_size(value);
  std::byte* const body = bodies_.take(body_size(group, values_size), stream);
  for (size_t i = 0; i < far; ++i) new (body + i * sizeof(Slots)) Slots();
  if (shape_of_group_[group].sketches) new (body + far * sizeof(Slots)) std::byte*(nullptr);
  std::byte* to = body + values_at(group);
  for (const std::string_view value : values) to = pack(value, to);
  (*this)[stream] = {.check = key.check,
                     .last_at = {},
                     .body = body,
                     .values_size = static_cast<uint32_t>(values_size),
                     .group = static_cast<uint16_t>(group)};
  place({key.tag, stream + 1});
  ++size_;
  return stream;
}

void StreamTable::remove(uint32_t stream) {
  StreamRecord& record = (*this)[stream];
  std::vector<Hash128> hashes;
  for (const std::string_view value : values(record)) hashes.push_back(hash_of(value));
  const StreamKey key = key_of(record.group, hashes);
  size_t hole = place_of(key.tag);
  while (entries_[hole].next != stream + 1) hole = (hole + 1) & mask();
  // Close the gap: whatever follows in one run and would be found no more moves up.
  for (size_t at = (hole + 1) & mask(); entries_[at].next != 0; at = (at + 1) & mask()) {
    const size_t home = place_of(entries_[at].tag);
    if (((at - home) & mask()) < ((at - hole) & mask())) continue;
    entries_[hole] = entries_[at];
    hole = at;
  }
  entries_[hole] = {};
  for (uint32_t i = 0; i < shape_of_group_[record.group].series; ++i)
    record.slots(i).clear(memory_);
  std::byte* const body = record.body;
  const uint32_t moved = bodies_.give(body, body_size(record.group, record.values_size));
  if (moved != Bodies::kNobody) (*this)[moved].body = body;
  record = {};
  record.values_size = std::exchange(first_free_, stream);
  --size_;
}

std::vector<std::string_view> StreamTable::values(const StreamRecord& record) const {
  std::vector<std::string_view> values;
  const std::byte* at = record.body + values_at(record.group);
  const std::byte* const end = at + record.values_size;
  unpacked_.resize(size_t{2} * record.values_size);
  char* room = unpacked_.data();
  while (at < end) values.push_back(unpack(at, room));
  return values;
}

// What holds more than bytes is aligned for it.
size_t StreamTable::body_size(uint32_t group, size_t values_size) const {
  const size_t head = values_at(group);
  const size_t size = head + values_size;
  if (head == 0) return size;
  constexpr size_t kWord = sizeof(std::byte*);
  return (size + Bodies::kTail + kWord - 1) / kWord * kWord - Bodies::kTail;
}

uint32_t StreamTable::coldest() {
  WP_CHECK(size_ > 0);
  for (;; hand_ = hand_ + 1 < used_ ? hand_ + 1 : 0) {
    StreamRecord& record = (*this)[hand_];
    if (record.body == nullptr) continue;
    if (record.heat == 0) return hand_;
    --record.heat;
  }
}

uint32_t StreamTable::next_in_turn() {
  if (used_ == 0) return kNone;
  turn_ = turn_ + 1 < used_ ? turn_ + 1 : 0;
  return (*this)[turn_].body != nullptr ? turn_ : kNone;
}

}  // namespace watchpost::detect
