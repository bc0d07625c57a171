#pragma once
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace watchpost::ingest {

// Moves mails to another folder of the same file system, once what they say is stored.
//   Use:     when_stored() for each that is to be moved, move() now and then.
//   Threads: what when_stored() gives may be called from any, also after this has gone; all else
//            from one.
class MailMover {
 public:
  explicit MailMover(std::string to) : to_(std::move(to)) {}

  bool is_wanted() const { return !to_.empty(); }
  std::function<void()> when_stored(std::string path);
  // Gives the mail that cannot be moved where that is for a reason that was not given before; else
  // empty.
  std::string move();
  const std::string& fault() const { return fault_; }  // "cannot be moved to ..."; empty: none

 private:
  struct Stored {
    std::mutex mutex;
    std::vector<std::string> paths;
  };

  std::string to_;
  std::shared_ptr<Stored> stored_ = std::make_shared<Stored>();
  std::deque<std::string> unmoved_;  // stored, and still where they were read
  std::string fault_;
};

}  // namespace watchpost::ingest
