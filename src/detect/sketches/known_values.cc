#include "detect/sketches/known_values.h"

#include "base/saved_bytes.h"
#include "detect/sketches/value_set.h"

#include <algorithm>
#include <limits>

namespace watchpost::detect {
namespace {

constexpr int32_t kMostPeriod = 1 << 24;  // beyond all that a Time can say
constexpr Duration kYoung = 24h;
constexpr uint8_t kFewEvents = 20;
constexpr uint8_t kManyEvents = 255;

// Periods begin at the same times for all, so that any two agree about what is old.
int64_t period_of(Time at) {
  return std::chrono::floor<std::chrono::duration<int64_t, std::ratio<30 * 86400>>>(at)
      .time_since_epoch()
      .count();
}

uint32_t fingerprint_of(uint64_t hash) { return static_cast<uint32_t>(hash >> 32); }

}  // namespace

struct KnownValues::Block {
  Time first;
  int32_t period;
  uint8_t events;  // how many came, up to kManyEvents
  ValueSet current;
  ValueSet previous;

  void forget_previous(Memory& memory) {
    previous.clear(memory);
    previous = current;
    current = {};
  }
  void advance_to(int32_t wanted, Memory& memory) {
    if (wanted <= period) return;
    const bool next = wanted - 1 == period;
    period = wanted;
    forget_previous(memory);
    if (!next) previous.clear(memory);
  }
  // Whoever comes back after all was forgotten is as young as on the first day.
  void begin_anew_if_forgotten(Time at) {
    if (!current.empty() || !previous.empty()) return;
    first = at;
    events = 0;
  }
};

KnownValues::Block& KnownValues::block_at(Time at, Memory& memory) {
  const auto period = static_cast<int32_t>(period_of(at));
  if (block_ == nullptr) block_ = new (memory.take(sizeof(Block))) Block{at, period, 0, {}, {}};
  block_->first = std::min(block_->first, at);
  block_->advance_to(period, memory);
  block_->begin_anew_if_forgotten(at);
  return *block_;
}

bool KnownValues::add(uint64_t hash, Time at, Memory& memory) {
  Block& block = block_at(at, memory);
  const uint32_t fingerprint = fingerprint_of(hash);
  if (block.events < kManyEvents) ++block.events;
  if (block.current.contains(fingerprint)) return false;
  const bool known = block.previous.contains(fingerprint);
  if (block.current.full()) block.forget_previous(memory);
  block.current.add(fingerprint, memory);
  return !known;
}

bool KnownValues::knows(uint64_t hash) const {
  if (block_ == nullptr) return false;
  const uint32_t fingerprint = fingerprint_of(hash);
  return block_->current.contains(fingerprint) || block_->previous.contains(fingerprint);
}

bool KnownValues::settled(Time at) const {
  return block_ != nullptr && block_->events >= kFewEvents && at - kYoung >= block_->first;
}

void KnownValues::merge(const KnownValues& other, Memory& memory) {
  if (other.block_ == nullptr) return;
  const Block& from = *other.block_;
  if (block_ == nullptr) {
    block_ = new (memory.take(sizeof(Block))) Block{from.first, from.period, 0, {}, {}};
  }
  Block& block = *block_;
  block.first = std::min(block.first, from.first);
  block.advance_to(from.period, memory);
  if (from.period == block.period) {
    block.current.merge(from.current, memory);
    block.previous.merge(from.previous, memory);
  } else if (from.period == block.period - 1) {
    block.previous.merge(from.current, memory);
  }
  block.events = static_cast<uint8_t>(std::min(int{kManyEvents}, block.events + from.events));
}

void KnownValues::clear(Memory& memory) {
  if (block_ == nullptr) return;
  block_->current.clear(memory);
  block_->previous.clear(memory);
  memory.give(block_);
  block_ = nullptr;
}

void KnownValues::save(SavedWriter& out) const {
  out.number(static_cast<uint8_t>(block_ != nullptr));
  if (block_ == nullptr) return;
  out.number(block_->first.time_since_epoch().count());
  out.number(block_->period);
  out.number(block_->events);
  block_->current.save(out);
  block_->previous.save(out);
}

void KnownValues::restore(SavedReader& in, Memory& memory) {
  clear(memory);
  const auto any = in.number<uint8_t>();
  in.require(any <= 1);
  if (any == 0 || in.bad()) return;
  const Time first{Duration(in.number<Duration::rep>())};
  const auto period = in.number<int32_t>();
  const auto events = in.number<uint8_t>();
  in.require(period > -kMostPeriod && period < kMostPeriod);
  if (in.bad()) return;
  block_ = new (memory.take(sizeof(Block))) Block{first, period, events, {}, {}};
  block_->current.restore(in, memory);
  block_->previous.restore(in, memory);
  if (in.bad()) clear(memory);
}

}  // namespace watchpost::detect
