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

}  // namespace

StreamTable::Layout::Layout(const Shape& shape)
    : series(shape.series),
      values(shape.values),
      far_slots(series > StreamRecord::kNear ? series - StreamRecord::kNear : 0),
      sketches_at(static_cast<uint32_t>(far_slots * sizeof(Slots))),
      values_at(static_cast<uint32_t>(sketches_at + (shape.sketches ? sizeof(std::byte*) : 0))),
      sketches(shape.sketches) {}

StreamTable::StreamTable(const std::vector<Shape>& shape_of_group, size_t most_bytes)
    : layouts_(shape_of_group.begin(), shape_of_group.end()),
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
  StreamKeyMaker maker(group);
  for (const Hash128& value : values) maker.add(value);
  return maker.key();
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
    first_free_ = (*this)[stream].tag;
  } else {
    if (used_ / kChunk == chunks_.size()) {
      chunks_.push_back(std::make_unique<StreamRecord[]>(kChunk));
      memory_.add(kChunk * sizeof(StreamRecord));
    }
    ++used_;
  }
  const Layout& layout = layouts_[group];
  WP_CHECK(values.size() == layout.values);
  size_t values_size = 0;
  for (const std::string_view value : values) values_size += packed_size(value);
  std::byte* const body = bodies_.take(body_size(layout, values_size), stream);
  for (size_t i = 0; i < layout.far_slots; ++i) new (body + i * sizeof(Slots)) Slots();
  if (layout.sketches) new (body + layout.sketches_at) std::byte*(nullptr);
  std::byte* to = body + layout.values_at;
  for (const std::string_view value : values) to = pack(value, to);
  (*this)[stream] = {.check = key.check,
                     .last_at = {},
                     .body = body,
                     .tag = key.tag,
                     .group = static_cast<uint16_t>(group)};
  place({key.tag, stream + 1});
  ++size_;
  return stream;
}

void StreamTable::remove(uint32_t stream) {
  StreamRecord& record = (*this)[stream];
  size_t hole = place_of(record.tag);
  while (entries_[hole].next != stream + 1) hole = (hole + 1) & mask();
  // Close the gap: whatever follows in one run and would be found no more moves up.
  for (size_t at = (hole + 1) & mask(); entries_[at].next != 0; at = (at + 1) & mask()) {
    const size_t home = place_of(entries_[at].tag);
    if (((at - home) & mask()) < ((at - hole) & mask())) continue;
    entries_[hole] = entries_[at];
    hole = at;
  }
  entries_[hole] = {};
  for (uint32_t i = 0; i < layouts_[record.group].series; ++i) record.slots(i).clear(memory_);
  std::byte* const body = record.body;
  const uint32_t moved = bodies_.give(body, body_size(record));
  if (moved != Bodies::kNobody) (*this)[moved].body = body;
  record = {};
  record.tag = std::exchange(first_free_, stream);
  --size_;
}

std::vector<std::string_view> StreamTable::values(const StreamRecord& record) const {
  const Layout& layout = layouts_[record.group];
  const std::byte* const from = record.body + layout.values_at;
  const std::byte* end = from;
  for (uint32_t i = 0; i < layout.values; ++i) end += packed_bytes(end);
  unpacked_.resize(size_t{2} * static_cast<size_t>(end - from));
  char* room = unpacked_.data();
  std::vector<std::string_view> values;
  values.reserve(layout.values);
  for (const std::byte* at = from; at < end;) values.push_back(unpack(at, room));
  return values;
}

// What holds more than bytes is aligned for it.
size_t StreamTable::body_size(const Layout& layout, size_t values_size) {
  const size_t size = layout.values_at + values_size;
  if (layout.values_at == 0) return size;
  constexpr size_t kWord = sizeof(std::byte*);
  return (size + Bodies::kTail + kWord - 1) / kWord * kWord - Bodies::kTail;
}

size_t StreamTable::body_size(const StreamRecord& record) const {
  const Layout& layout = layouts_[record.group];
  size_t values_size = 0;
  for (uint32_t i = 0; i < layout.values; ++i) {
    values_size += packed_bytes(record.body + layout.values_at + values_size);
  }
  return body_size(layout, values_size);
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
