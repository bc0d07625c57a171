#pragma once
#include "ingest/follower.h"
#include "ingest/growing_bytes.h"
#include "ingest/segment_position.h"
#include "ingest/wakeup.h"

#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace watchpost::ingest {

struct SegmentOptions {
  std::string folder;
  size_t longest_line = 1024 * 1024;
  bool from_end = true;  // of a first start: only what is written from now on
};

// Reads a folder of segments, zstd or plain, in the order of their names, which are times: each
// line once, those of the newest ones as they are written.
//   Rules:   segments with the same suffix follow each other; of several suffixes the oldest is
//   read
//            first. A segment is done when it is read to its end and either may not be written to
//            any more (its write permission is gone, which is how kumod says so), or was removed,
//            or has a successor. A damaged one is left there, with what came before the damage
//            read. Other files are not touched.
class SegmentFollower final : public Follower {
 public:
  explicit SegmentFollower(SegmentOptions options);

  void stop_with(std::stop_token stop) override { stop_ = std::move(stop); }
  // Stopped at a first start it has no position: the next start is a first one, too.
  Result<Done> start(std::string_view position) override;
  size_t read(size_t most, const Each& each) override;
  void wait(Duration patience, const std::stop_token& stop) override;
  std::optional<std::string> position() const override;
  uint64_t bytes_behind() const override;
  std::string state() const override { return state_; }
  bool healthy() const override { return healthy_; }
  void count_unread(Unread& unread) const override;

 private:
  struct Open {
    GrowingBytes bytes;
    LineBuffer lines;
    uint64_t skip_until = 0;  // lines before this offset were used
    bool checked = false;     // that they are the lines of this place
  };
  // The segments of one suffix.
  struct Series {
    std::string suffix;
    SegmentPlace place;  // of no name before the first segment
    std::optional<Open> open;
  };
  enum class Filled { some, nothing, damaged };

  bool look();
  const SegmentName* after(const Series& series) const;
  std::string_view next_since(const Series& series) const;
  std::vector<Series*> oldest_first();
  size_t read_series(Series& series, size_t most, const Each& each);
  bool open_next(Series& series);
  bool open_again(Series& series);
  bool open(Series& series, const SegmentName& name);
  size_t give(Series& series, size_t most, const Each& each);
  Filled fill(Series& series);
  bool ended(const Series& series) const;
  size_t finish(Series& series, bool damaged, const Each& each);
  void to_the_end(Series& series);
  std::string path_of(const SegmentName& name) const;
  void say(bool healthy, std::string state);

  SegmentOptions options_;
  Wakeup wakeup_;
  std::stop_token stop_;
  std::map<std::string, std::vector<SegmentName>, std::less<>> there_;  // by suffix, oldest first
  std::map<std::string, Series, std::less<>> series_;                   // by suffix
  std::string state_ = "not started";
  bool healthy_ = true;
  bool trouble_ = false;  // met by the last read()
  std::string watched_;
  uint64_t damaged_ = 0;
  uint64_t broken_off_ = 0;
  uint64_t gone_ = 0;
  uint64_t cut_lines_ = 0;  // of segments that are closed
};

}  // namespace watchpost::ingest
