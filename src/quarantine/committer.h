#pragma once
#include "base/result.h"
#include "quarantine/index.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace watchpost::quarantine {

// A change of the index, and who is told when it is durable, or why it is not.
struct Change {
  std::function<Result<Done>(Index&)> apply;  // one that fails changes nothing
  std::function<void(const Result<Done>&)> finished;
};

// Commits changes, as many at once as are waiting.
//   Use:     submit(); stop() commits what waits, and ends.
//   Owns:    the index, and the thread that writes it.
//   Threads: submit() any; all functions that it was given are called by its thread.
class Committer {
 public:
  // What its thread does besides.
  struct Hooks {
    std::function<void(Index&)> committed;            // before those are told who wait
    std::function<void(Index&, bool well)> answered;  // after that; whether it was committed
    std::function<void(Index&)> now_and_then;         // about each second
    std::function<void(const Error&)> failed;         // the disk, most likely
  };
  Committer(Index index, Hooks hooks);
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;
  ~Committer();

  void submit(Change change);
  void stop();

 private:
  void run();
  std::vector<Change> take(bool& over);
  void commit(std::vector<Change>& changes);
  Result<Done> apply(std::vector<Change>& changes, std::vector<Result<Done>>& results);

  Index index_;
  Hooks hooks_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Change> waiting_;
  bool stopping_ = false;
  bool over_ = false;
  std::thread thread_;  // last: it uses all of the above
};

// What `apply` gives when it is durable, or why it is not: blocks until then. Never within a
// function that the committer calls.
template <class T>
Result<T> change(Committer& committer, std::function<Result<T>(Index&)> apply) {
  struct Asked {
    std::function<Result<T>(Index&)> apply;
    Result<T> given;
    std::promise<Result<T>> answer;
  };
  auto asked = std::make_shared<Asked>();
  asked->apply = std::move(apply);
  auto answer = asked->answer.get_future();
  committer.submit({.apply = [asked](Index& index) -> Result<Done> {
                      asked->given = asked->apply(index);
                      if (!asked->given) return fail(asked->given.error());
                      return Done{};
                    },
                    .finished =
                        [asked](const Result<Done>& done) {
                          asked->answer.set_value(done ? std::move(asked->given)
                                                       : Result<T>(fail(done.error())));
                        }});
  return answer.get();
}

}  // namespace watchpost::quarantine
