#include "quarantine/committer.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace watchpost::quarantine {
namespace {

using Ticks = std::chrono::steady_clock;

constexpr size_t kMostAtOnce = 512;
constexpr auto kNowAndThen = std::chrono::seconds(1);

// What a change may fail by although others would not; all else is the disk's.
bool is_answer(Code code) {
  return code == Code::not_found || code == Code::refused || code == Code::bad_input ||
         code == Code::corrupt;
}

}  // namespace

Committer::Committer(Index index, Hooks hooks)
    : index_(std::move(index)), hooks_(std::move(hooks)), thread_([this] { run(); }) {}

Committer::~Committer() { stop(); }

void Committer::submit(Change change) {
  {
    const std::lock_guard lock(mutex_);
    if (!over_) {
      waiting_.push_back(std::move(change));
      changed_.notify_one();
      return;
    }
  }
  change.finished(fail(Code::unavailable, "the quarantine has been stopped"));
}

void Committer::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

std::vector<Change> Committer::take(bool& over) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kNowAndThen, [&] { return stopping_ || !waiting_.empty(); });
  const auto end =
      waiting_.begin() + static_cast<ptrdiff_t>(std::min(kMostAtOnce, waiting_.size()));
  std::vector<Change> taken(std::make_move_iterator(waiting_.begin()),
                            std::make_move_iterator(end));
  waiting_.erase(waiting_.begin(), end);
  over = over_ = stopping_ && taken.empty();
  return taken;
}

void Committer::run() {
  auto last = Ticks::now();
  while (true) {
    bool over = false;
    std::vector<Change> changes = take(over);
    if (over) return;
    if (!changes.empty()) commit(changes);
    if (Ticks::now() - last < kNowAndThen) continue;
    last = Ticks::now();
    hooks_.now_and_then(index_);
  }
}

void Committer::commit(std::vector<Change>& changes) {
  std::vector<Result<Done>> results;
  auto done = index_.begin();
  if (done) {
    done = apply(changes, results);
    if (done) {
      done = index_.commit();
    } else {
      index_.roll_back();
    }
  }
  if (done) {
    hooks_.committed(index_);
  } else {
    hooks_.failed(done.error());
    results.assign(changes.size(), done);
  }
  for (size_t i = 0; i < changes.size(); ++i) changes[i].finished(results[i]);
  hooks_.answered(index_, done.has_value());
}

Result<Done> Committer::apply(std::vector<Change>& changes, std::vector<Result<Done>>& results) {
  for (Change& change : changes) {
    if (const auto begun = index_.begin_part(); !begun) return begun;
    auto result = change.apply(index_);
    // SQLite may have rolled back all of them: then there is nothing to undo, and nothing was done.
    if (!result && !index_.undo_part()) return result;
    if (!result && !is_answer(result.error().code)) hooks_.failed(result.error());
    if (result) {
      if (const auto ended = index_.end_part(); !ended) return ended;
    }
    results.push_back(std::move(result));
  }
  return Done{};
}

}  // namespace watchpost::quarantine
