#include "ingest/followed_lines.h"

#include "base/log.h"
#include "base/text.h"
#include "ingest/follow.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <sys/stat.h>
#include <utility>

#include <fmt/format.h>

namespace watchpost::ingest {
namespace {

constexpr size_t kLinesAtOnce = 512;
constexpr size_t kEventsInArrival = 4096;
constexpr size_t kLinesInArrival = 64 * 1024;
constexpr size_t kBytesInArrival = 4 * 1024 * 1024;
// Between two positions: the pipeline knows again at least so many events of before.
constexpr uint64_t kMostEventsBetween = 100'000;
constexpr Duration kLook = std::chrono::seconds(1);
// Saving positions takes at most this part of the time.
constexpr int64_t kSavingShare = 20;
// Begins the line of a position that tells when the newest event was; positions from before that
// was kept have no such line.
constexpr std::string_view kNewest = "newest1 ";
constexpr std::string_view kNone = "-";

using Ticks = std::chrono::steady_clock;

// Takes the first line off.
std::string_view next_line(std::string_view& text) {
  const size_t newline = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, newline);
  text.remove_prefix(std::min(newline + 1, text.size()));
  return line;
}

// Nothing for none; an error for what newest_line() does not write.
Result<std::optional<Time>> newest_from(std::string_view word) {
  if (word == kNone) return std::nullopt;
  int64_t micros = 0;
  const auto [rest, fault] = std::from_chars(word.data(), word.data() + word.size(), micros);
  if (fault != std::errc() || rest != word.data() + word.size()) {
    return fail(Code::corrupt, "is not the time of an event", escaped(word, 200));
  }
  return Time(std::chrono::microseconds(micros));
}

// A log file, through its rotations.
class FollowedFile final : public Follower {
 public:
  explicit FollowedFile(FollowOptions options) : file_(std::move(options)) {}

  Result<Done> start(std::string_view position) override {
    if (position.empty()) {
      file_.start(std::nullopt);
      return Done{};
    }
    auto at = FollowPosition::parse(position);
    if (!at) return fail(at.error());
    file_.start(*at);
    return Done{};
  }
  size_t read(size_t most, const Each& each) override { return file_.read(most, each); }
  void wait(Duration patience, const std::stop_token& stop) override { file_.wait(patience, stop); }
  std::optional<std::string> position() const override {
    const auto at = file_.position();
    return at ? std::optional(at->text()) : std::nullopt;
  }
  uint64_t bytes_behind() const override { return file_.bytes_behind(); }
  std::string state() const override { return file_.state(); }
  bool healthy() const override { return file_.healthy(); }
  void count_unread(Unread& unread) const override {
    if (const uint64_t cut = file_.cut_lines(); cut > 0) unread["line_too_long"].count = cut;
    if (const uint64_t lost = file_.losses(); lost > 0) unread["file_cut_off"].count = lost;
  }

 private:
  FileFollower file_;
};

}  // namespace

void fields(SettingsVisitor& visit, FollowSettings& settings) {
  visit.setting({.name = "path",
                 .help = "The log file. It is found again after rotation, and waited for where it "
                         "does not exist.",
                 .required = true},
                &settings.path);
  visit.setting({.name = "start",
                 .help = "Where a first start begins in a log that is there already; later starts "
                         "go on where the last one stopped.",
                 .choices = {"end", "beginning"}},
                &settings.start);
  visit.setting({.name = "longest_line",
                 .help = "Bytes of a line that are looked at; the rest of a longer one is left out "
                         "and counted.",
                 .least = 256,
                 .most = 16 * 1024 * 1024},
                &settings.longest_line);
}

// One run.
struct FollowedLines::Reading {
  std::unique_ptr<Follower> follower;
  std::unique_ptr<LineFormat> format;
  size_t lines = 0;        // of this arrival
  std::string last_place;  // of the last position
  Ticks::time_point next_save{};
  Ticks::time_point next_idle_position{};
  uint64_t events_since_save = 0;
  Ticks::time_point next_show{};
};

FollowedLines::FollowedLines(std::string name, MakeFollower make_follower, const Clock& clock,
                             MakeFormat make_format)
    : name_(std::move(name)),
      make_follower_(std::move(make_follower)),
      clock_(clock),
      make_format_(std::move(make_format)) {
  status_.state = "not started";
}

Result<std::unique_ptr<Source>> FollowedLines::make(std::string name,
                                                    const FollowSettings& settings,
                                                    const Clock& clock, MakeFormat make_format) {
  if (settings.path.empty()) return fail(Code::bad_input, "needs the path of a log file", "path");
  struct stat seen{};
  if (::stat(settings.path.c_str(), &seen) == 0 && S_ISDIR(seen.st_mode)) {
    return fail(Code::bad_input,
                fmt::format("{} is a folder: name the log file", escaped(settings.path)), "path");
  }
  FollowOptions options{.path = settings.path,
                        .longest_line = static_cast<size_t>(settings.longest_line),
                        .from_end = settings.start != "beginning"};
  const auto make_follower = [options = std::move(options)]() -> std::unique_ptr<Follower> {
    return std::make_unique<FollowedFile>(options);
  };
  return over(std::move(name), make_follower, clock, std::move(make_format));
}

std::unique_ptr<Source> FollowedLines::over(std::string name, MakeFollower make_follower,
                                            const Clock& clock, MakeFormat make_format) {
  return std::unique_ptr<Source>(
      new FollowedLines(std::move(name), std::move(make_follower), clock, std::move(make_format)));
}

// The position is the time of the newest event on a line, the follower's on the next, then the
// format's state.
Result<Done> FollowedLines::resume(Reading& reading, std::string_view position) {
  if (position.empty()) return reading.follower->start({});
  std::string_view place = next_line(position);
  if (place.starts_with(kNewest)) {
    const auto newest = newest_from(place.substr(kNewest.size()));
    if (!newest) return fail(newest.error());
    if (*newest) note_event(**newest);
    place = next_line(position);
  }
  const auto started = reading.follower->start(place);
  if (!started) return started;
  const auto restored = reading.format->restore(position);
  if (!restored) {
    // The place in the file is good; only lines of messages that were open then lack their login.
    log_warning("ingest", "{}: open messages are not known from before: {}", name_,
                restored.error().text());
    reading.format = make_format_(clock_.now());
  }
  reading.last_place = place;
  return Done{};
}

Result<Done> FollowedLines::run(EventSink& sink, std::string_view position, std::stop_token stop) {
  Reading reading{.follower = make_follower_(), .format = make_format_(clock_.now())};
  reading.follower->stop_with(stop);
  const auto resumed = resume(reading, position);
  if (!resumed) return resumed;
  reading.format->stop_with(stop);
  while (!stop.stop_requested()) {
    EventBatch batch = read_some(reading);
    if (reading.format->broke_off()) return Done{};
    const bool idle = reading.lines == 0;
    show(reading, batch);
    reading.events_since_save += batch.size();
    auto here = position_if_due(reading, !batch.empty());
    if (!batch.empty() || here) {
      const bool taken = sink.deliver_unless_stopped(
          Arrival{.events = std::move(batch), .source = name_, .position = std::move(here)}, stop);
      if (!taken) return Done{};
    }
    if (idle) reading.follower->wait(kLook, stop);
  }
  reading.next_save = {};
  if (auto here = position_if_due(reading, true)) {
    sink.deliver_unless_stopped(Arrival{.source = name_, .position = std::move(here)}, stop);
  }
  return Done{};
}

// What there is, up to some thousand events. Returns at once where there is nothing.
EventBatch FollowedLines::read_some(Reading& reading) {
  EventBatch batch;
  const Time now = clock_.now();
  reading.format->set_now(now);
  reading.lines = 0;
  const Follower::Each use = [&](const Line& line, const Hash128& id) {
    if (line.offset == 0) reading.format->begin_file();
    reading.format->line(line.text, id, batch);
  };
  while (batch.size() < kEventsInArrival && reading.lines < kLinesInArrival &&
         batch.text_bytes() < kBytesInArrival) {
    const size_t given = reading.follower->read(kLinesAtOnce, use);
    if (given == 0) break;
    reading.lines += given;
  }
  check_clock(batch, 0, now);
  return batch;
}

// Without events a position is kept once a second at most: nothing is lost by reading again.
std::optional<std::string> FollowedLines::position_if_due(Reading& reading, bool due_now) {
  const auto before = Ticks::now();
  const bool must = reading.events_since_save >= kMostEventsBetween;
  if (!must && before < reading.next_save) return std::nullopt;
  if (!due_now && before < reading.next_idle_position) return std::nullopt;
  auto at = reading.follower->position();
  if (!at) return std::nullopt;
  reading.next_idle_position = before + kLook;
  std::string place = std::move(*at);
  if (place == reading.last_place) return std::nullopt;
  std::string text = fmt::format("{}{}\n", newest_line(), place);
  text += reading.format->save();
  reading.last_place = std::move(place);
  reading.events_since_save = 0;
  const auto after = Ticks::now();
  reading.next_save = after + (after - before) * kSavingShare;
  // What a large state costs the store is not seen here: a second for each megabyte.
  reading.next_save += std::chrono::microseconds(text.size());
  return text;
}

void FollowedLines::show(Reading& reading, const EventBatch& batch) {
  const auto now = Ticks::now();
  const bool full = now >= reading.next_show || reading.lines == 0;
  uint64_t behind = 0;
  if (full) {
    behind = reading.follower->bytes_behind();
    reading.next_show = now + std::chrono::milliseconds(200);
  }
  if (!batch.empty()) note_event(std::ranges::max(batch.events(), {}, &Event::at).at);
  const std::lock_guard lock(mutex_);
  status_.state = reading.follower->state();
  status_.healthy = reading.follower->healthy();
  status_.lines += reading.lines;
  status_.events += batch.size();
  if (!full) return;
  status_.bytes_behind = behind;
  status_.unread = reading.format->unread().by_reason();
  reading.follower->count_unread(status_.unread);
}

void FollowedLines::note_event(Time at) {
  const std::lock_guard lock(mutex_);
  status_.last_event_at = std::max(status_.last_event_at.value_or(at), at);
}

std::string FollowedLines::newest_line() const {
  const std::lock_guard lock(mutex_);
  const auto& at = status_.last_event_at;
  return at ? fmt::format("{}{}\n", kNewest, at->time_since_epoch().count())
            : fmt::format("{}{}\n", kNewest, kNone);
}

SourceStatus FollowedLines::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

}  // namespace watchpost::ingest
