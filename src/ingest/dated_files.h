#pragma once
#include "base/result.h"
#include "ingest/follow.h"
#include "ingest/follower.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::ingest {

// "/var/log/pmta/acct-*.csv": files of one folder in whose names a date and perhaps a number stand
// in the place of the star: acct-2026-11-24-0007.csv.
class DatedName {
 public:
  // Errors: bad_input where there is not one star, in the name of the file.
  static Result<DatedName> parse(const std::string& pattern);
  static bool is_pattern(std::string_view path) { return path.contains('*'); }

  // All there are now, oldest first, by their names alone.
  std::vector<std::string> files() const;
  std::string path_of(std::string_view name) const { return folder_ + "/" + std::string(name); }
  // What stands in the place of the star is digits with '-', '_', '.' or 'T' between them.
  bool fits(std::string_view name) const;
  const std::string& folder() const { return folder_; }

 private:
  std::string folder_;
  std::string before_;
  std::string after_;
};

// Reads files that follow each other, the newest of which is still written to: each line once.
//   Rules:   a file is left when it is read to its end and a later one is there, with something in
//            it. Half a line at the end of such a file is left out and counted.
class DatedFiles final : public Follower {
 public:
  struct Options {
    DatedName name;
    size_t longest_line = 64 * 1024;
    bool from_end = true;  // of a first start: only what is written from now on
  };
  explicit DatedFiles(Options options) : options_(std::move(options)) {}

  Result<Done> start(std::string_view position) override;
  size_t read(size_t most, const Each& each) override;
  void wait(Duration patience, const std::stop_token& stop) override;
  std::optional<std::string> position() const override;
  uint64_t bytes_behind() const override;
  std::string state() const override { return state_; }
  bool healthy() const override { return healthy_; }
  void count_unread(Unread& unread) const override;

 private:
  void open(const std::string& name, bool from_end, std::optional<FollowPosition> at);
  void leave();
  std::string next_file() const;
  void say();

  Options options_;
  std::unique_ptr<FileFollower> file_;  // the one being read
  std::string current_;                 // its name; or of the last one, where there is none
  uint64_t cut_lines_ = 0;              // of files that were left
  uint64_t losses_ = 0;
  uint64_t broken_off_ = 0;
  std::string state_ = "not started";
  bool healthy_ = true;
};

}  // namespace watchpost::ingest
