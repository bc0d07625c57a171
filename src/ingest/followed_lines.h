#pragma once
#include "base/settings.h"
#include "ingest/follower.h"
#include "ingest/format.h"
#include "ingest/source.h"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace watchpost::ingest {

// The settings that all followed sources have.
struct FollowSettings {
  std::string path;
  std::string start = "end";
  int64_t longest_line = 16 * 1024;
};
void fields(SettingsVisitor& visit, FollowSettings& settings);

// A log that is followed, whatever its lines mean.
//   Rules:   the position holds the time of the newest event, the file's and the format's state. It
//            goes with every arrival while saving that state is cheap, and less often where it is
//            not: lines that are then read again give the same event ids.
class FollowedLines final : public Source {
 public:
  using MakeFormat = std::function<std::unique_ptr<LineFormat>(Time reference)>;
  using MakeFollower = std::function<std::unique_ptr<Follower>()>;
  // A log file. bad_input where the path is a folder, or empty.
  static Result<std::unique_ptr<Source>> make(std::string name, const FollowSettings& settings,
                                              const Clock& clock, MakeFormat make_format);
  // Anything else that has lines.
  static std::unique_ptr<Source> over(std::string name, MakeFollower make_follower,
                                      const Clock& clock, MakeFormat make_format);

  Result<Done> run(EventSink& sink, std::string_view position, std::stop_token stop) override;
  SourceStatus status() const override;

 private:
  FollowedLines(std::string name, MakeFollower make_follower, const Clock& clock,
                MakeFormat make_format);
  struct Reading;
  Result<Done> resume(Reading& reading, std::string_view position);
  EventBatch read_some(Reading& reading);
  std::optional<std::string> position_if_due(Reading& reading, bool due_now);
  void show(Reading& reading, const EventBatch& batch);
  void note_event(Time at);
  std::string newest_line() const;

  std::string name_;
  MakeFollower make_follower_;
  const Clock& clock_;
  MakeFormat make_format_;
  mutable std::mutex mutex_;
  SourceStatus status_;
};

}  // namespace watchpost::ingest
