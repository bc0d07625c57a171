#pragma once
#include "base/result.h"
#include "base/time.h"
#include "ingest/follow_position.h"
#include "ingest/line_buffer.h"
#include "ingest/rotation.h"
#include "ingest/wakeup.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace watchpost::ingest {

struct FollowOptions {
  std::string path;
  size_t longest_line = 16 * 1024;
  bool from_end = true;  // of a first start: only what is written from now on
};

// Reads a log as it grows, through every kind of rotation: each line once.
//   Use:     start(), then read() until it gives nothing, then wait(); again.
//   Threads: none inside.
//   Fails:   never: a missing or unreadable file is waited for, and state() says so.
//   Rules:   an old file is left only when the one after it has something in it; a last line
//   without
//            its newline waits, unless its file is done with. Lines that were written and cut off
//            between two looks, with no copy of them left, cannot be read: see losses().
class FileFollower {
 public:
  explicit FileFollower(FollowOptions options);

  // `position` is nothing at a first start.
  void start(std::optional<FollowPosition> position);
  using Each = std::function<void(const Line& line, const Hash128& line_id)>;
  // Gives out up to about `most` lines; returns how many. 0: there are no more for now.
  size_t read(size_t most, const Each& each);
  // Until there may be more to read, `patience` is over, or stop is requested.
  void wait(Duration patience, const std::stop_token& stop);

  // Nothing before a file was opened.
  std::optional<FollowPosition> position() const;
  uint64_t bytes_behind() const;
  const std::string& state() const { return state_; }  // one sentence
  bool healthy() const { return healthy_; }
  // How often lines may have been lost: the file was cut off or is gone, and no copy was found.
  uint64_t losses() const { return losses_; }
  uint64_t cut_lines() const { return buffer_.cut_lines(); }

 private:
  enum class Filled { some, nothing, cut_off };
  size_t give_lines(size_t most, const Each& each);
  Filled fill();
  bool open_first();
  bool find_again(const FollowPosition& position);
  bool open_next(const FollowPosition& position, bool still_open);
  bool superseded() const;
  bool must_look_again() const;
  FollowPosition here() const;
  void use(OpenLog log);
  void say(bool healthy, std::string state);

  FollowOptions options_;
  LineBuffer buffer_;
  Wakeup wakeup_;
  std::optional<OpenLog> log_;               // the one being read
  std::optional<FollowPosition> to_resume_;  // not found yet
  std::optional<FollowPosition> before_;     // where the file before this one ended
  bool from_end_ = false;
  bool packed_ended_ = false;
  bool opened_empty_ = false;
  bool started_ = false;
  bool unreadable_ = false;  // the file that is open
  std::string state_ = "not started";
  bool healthy_ = true;
  uint64_t losses_ = 0;
  std::string watched_;  // what wakeup_ watches, as text to compare
};

}  // namespace watchpost::ingest
