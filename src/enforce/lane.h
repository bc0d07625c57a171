#pragma once
#include "base/time.h"

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace watchpost::enforce {

// Jobs for one outside party, one thread: tries each that is due, in the order of their keys, until
// it is done. One that must wait does not hold up the others.
//   Use:     put() from any thread; stop() before what the functions refer to goes.
//   Owns:    the jobs and the thread. A job put in under a key that is there takes its place; what
//            came of a try that was under way for the old one is not reported.
//   Threads: `attempt` and `report` are called from its thread.
template <class Job>
class Lane {
 public:
  // One try; changes the job to say what came of it. Gives when to try again, nothing where it is
  // done.
  using Attempt = std::function<std::optional<Time>(Job&)>;
  using Report = std::function<void(const Job&)>;

  Lane(const Clock& clock, Attempt attempt, Report report)
      : clock_(clock), attempt_(std::move(attempt)), report_(std::move(report)) {
    thread_ = std::thread([this] { run(); });
  }
  ~Lane() { stop(); }

  void put(uint64_t key, Time due, Job job) {
    {
      const std::lock_guard lock(mutex_);
      waiting_.insert_or_assign(key, Waiting{due, ++puts_, std::move(job)});
    }
    changed_.notify_one();
  }
  size_t waiting() const {
    const std::lock_guard lock(mutex_);
    return waiting_.size();
  }
  // Tells the thread to end; stop() waits for it. Telling all lanes first spares their sum.
  void begin_stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
  }
  void stop() {
    begin_stop();
    if (thread_.joinable()) thread_.join();
  }

 private:
  struct Waiting {
    Time due;
    uint64_t put = 0;  // which put() it came with
    Job job;
  };
  using Entry = typename std::map<uint64_t, Waiting>::iterator;

  // The clock is not the one that condition variables wait by: it may be set, or be a test's.
  static constexpr auto kLookAgain = std::chrono::milliseconds(200);

  Entry first_due(Time now) {
    auto at = waiting_.begin();
    while (at != waiting_.end() && at->second.due > now) ++at;
    return at;
  }

  void run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      const Entry due = first_due(clock_.now());
      if (due != waiting_.end()) {
        carry_out(due->first, due->second.put, due->second.job, lock);
      } else if (waiting_.empty()) {
        changed_.wait(lock);
      } else {
        changed_.wait_for(lock, kLookAgain);
      }
    }
  }

  void carry_out(uint64_t key, uint64_t put, Job job, std::unique_lock<std::mutex>& lock) {
    lock.unlock();
    const std::optional<Time> again = attempt_(job);
    lock.lock();
    const Entry at = waiting_.find(key);
    if (at == waiting_.end() || at->second.put != put) return;
    if (again) {
      at->second.due = *again;
      at->second.job = job;
    } else {
      waiting_.erase(at);
    }
    lock.unlock();
    report_(job);
    lock.lock();
  }

  const Clock& clock_;
  const Attempt attempt_;
  const Report report_;
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::map<uint64_t, Waiting> waiting_;
  uint64_t puts_ = 0;
  bool stopping_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace watchpost::enforce
