#include "ingest/inbox.h"

#include <utility>

namespace watchpost::ingest {
namespace {

constexpr size_t kBytesAsAnEvent = 4096;
constexpr size_t kVerdictBytesAsAnEvent = 1024;

// An arrival without events (only a position) takes room, too, and so do mail that is kept whole
// and verdicts.
size_t weight(const Arrival& arrival) {
  size_t sum = arrival.events.size() + 1;
  for (const KeptMail& kept : arrival.kept_mail) sum += kept.bytes.size() / kBytesAsAnEvent;
  for (const KeptVerdict& one : arrival.verdicts) {
    sum += 1 + one.json.size() / kVerdictBytesAsAnEvent;
  }
  return sum;
}

}  // namespace

bool Inbox::put(Arrival arrival, const std::stop_token& stop) {
  const size_t more = weight(arrival);
  {
    std::unique_lock lock(mutex_);
    const bool room = room_.wait(lock, stop, [&] { return closed_ || room_for(more); });
    if (closed_ || !room) return false;
    events_ += more;
    awaited_ = true;
    arrivals_.push_back(std::move(arrival));
  }
  filled_.notify_one();
  return true;
}

bool Inbox::offer(Arrival arrival) {
  const size_t more = weight(arrival);
  bool wakes = false;
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || !room_for(more)) return false;
    wakes = arrivals_.empty();
    events_ += more;
    awaited_ = awaited_ || arrival.settled;
    arrivals_.push_back(std::move(arrival));
    wakes = wakes || !gathers();
  }
  if (wakes) filled_.notify_one();
  return true;
}

bool Inbox::put(Errand errand) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    errands_.push_back(std::move(errand));
  }
  filled_.notify_one();
  return true;
}

void Inbox::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  room_.notify_all();
  filled_.notify_all();
}

Inbox::Taken Inbox::take(std::chrono::milliseconds patience, size_t most_events) {
  Taken taken;
  {
    std::unique_lock lock(mutex_);
    filled_.wait_for(lock, patience,
                     [&] { return closed_ || !arrivals_.empty() || !errands_.empty(); });
    filled_.wait_until(lock, gathered_at_, [&] { return !gathers(); });
    if (!arrivals_.empty()) gathered_at_ = Ticks::now() + gathering_;
    taken.errands = std::exchange(errands_, {});
    size_t events = 0;
    while (!arrivals_.empty() && events < most_events) {
      events += weight(arrivals_.front());
      taken.arrivals.push_back(std::move(arrivals_.front()));
      arrivals_.pop_front();
    }
    events_ -= events;
    awaited_ = awaited_ && !arrivals_.empty();
    taken.closed = closed_;
  }
  room_.notify_all();
  return taken;
}

Inbox::Taken Inbox::take_errands(std::chrono::milliseconds patience) {
  Taken taken;
  std::unique_lock lock(mutex_);
  filled_.wait_for(lock, patience, [&] { return closed_ || !errands_.empty(); });
  taken.errands = std::exchange(errands_, {});
  taken.closed = closed_;
  return taken;
}

size_t Inbox::events() const {
  const std::lock_guard lock(mutex_);
  return events_;
}

}  // namespace watchpost::ingest
