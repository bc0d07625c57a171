#pragma once
#include "base/metrics.h"
#include "base/time.h"
#include "quarantine/committer.h"
#include "quarantine/held_files.h"
#include "quarantine/keeper.h"
#include "quarantine/room.h"

#include <array>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace watchpost::quarantine {

// By which a copy is known that is handed in again: for each copy of the message. `sha`: of the
// message. No two that differ in bytes, sender, direction or recipient have the same: outsiders
// choose all of that, and what is taken for something else is lost.
std::vector<std::string> same_keys(const HeldMessage& message, std::string_view sha);
// Of the message as a mail server hands it on: with a line end at its end.
std::string sha_of(std::string_view message);

// Mail on its way in: its files are written by a few threads, so that they are made durable side by
// side, and then go to the committer.
//   Bounds:  so many messages and bytes wait at once; what comes then is told so at once.
//   Threads: any. `done` is called by one of its own threads, or the committer's.
class Intake {
 public:
  static constexpr size_t kMostWaiting = 1024;
  static constexpr uint64_t kMostBytesWaiting = uint64_t{256} << 20U;

  struct Parts {
    const HeldFiles& files;
    Committer& committer;
    Room& room;
    const Clock& clock;
    Metrics& metrics;
    Duration keep{0};  // then it is thrown away
    // The file may go when the next commit has succeeded: a commit that failed may yet be found in
    // the log of the index after a crash.
    std::function<void(const HeldId&)> left;  // called by the committer's thread
  };
  explicit Intake(Parts parts);
  Intake(const Intake&) = delete;
  Intake& operator=(const Intake&) = delete;
  ~Intake();

  void keep(HeldMessage message, HeldContent content, Keeper::Kept done);
  // No more is taken; gives back when all that was is with the committer.
  void stop();

 private:
  struct Mail {
    HeldMessage message;
    HeldContent content;
    Keeper::Kept done;
    uint64_t bytes = 0;  // reserved
  };
  struct Refusal {
    Keeper::Kept done;
    Error why;
  };
  Result<Done> enter(Mail& mail);
  void count_refusal(const Error& why);
  void refuse(Keeper::Kept done, Error why);
  void leave(uint64_t bytes);
  void write_files();
  void answer_refusals();
  void write(Mail mail);
  Change insertion(NewMessage added, Mail mail);

  Parts parts_;
  Counter& kept_;
  std::mutex mutex_;
  std::condition_variable changed_;  // `mails_` or `stopping_`
  std::deque<Mail> mails_;
  size_t waiting_ = 0;
  uint64_t waiting_bytes_ = 0;
  bool stopping_ = false;
  std::mutex refusals_mutex_;
  std::condition_variable refused_;
  std::deque<Refusal> refusals_;
  bool answering_ = true;
  // So many, because most of them wait for the disk, and its journal takes all of them at once.
  std::array<std::thread, 16> writers_;  // last: they use all of the above
  std::thread answerer_;
};

}  // namespace watchpost::quarantine
