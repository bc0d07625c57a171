#include "ingest/follow.h"

#include "base/log.h"
#include "base/text.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <sys/uio.h>
#include <utility>

#include <fmt/format.h>

namespace watchpost::ingest {

FileFollower::FileFollower(FollowOptions options)
    : options_(std::move(options)), buffer_(options_.longest_line) {}

void FileFollower::start(std::optional<FollowPosition> position) {
  log_.reset();
  before_.reset();
  to_resume_ = position;
  // A file that comes into being later is new from its first line.
  const auto live = look_at(options_.path);
  from_end_ = !position && options_.from_end && (live || live.error().code != Code::not_found);
  started_ = true;
}

size_t FileFollower::read(size_t most, const Each& each) {
  WP_CHECK(started_);
  while (true) {
    if (!log_ && !open_first()) return 0;
    if (must_look_again()) {
      if (!find_again(FollowPosition(*before_))) return 0;
      continue;
    }
    if (const size_t given = give_lines(most, each); given > 0) return given;
    switch (fill()) {
      case Filled::some: continue;
      case Filled::cut_off:
        if (!find_again(*position())) return 0;
        continue;
      case Filled::nothing: break;
    }
    if (!superseded()) return 0;
    // What was written before the next file had anything in it is all there now: once more.
    const Filled rest = fill();
    if (rest == Filled::some) continue;
    if (rest == Filled::cut_off) {
      if (!find_again(*position())) return 0;
      continue;
    }
    Line line;
    const bool given = buffer_.last(line);
    if (given) each(line, line_id(buffer_.generation(), line));
    const bool opened = open_next(here(), true);
    if (given || !opened) return given ? 1 : 0;
  }
}

size_t FileFollower::give_lines(size_t most, const Each& each) {
  Line line;
  size_t given = 0;
  while (given < most && buffer_.next(line)) {
    each(line, line_id(buffer_.generation(), line));
    ++given;
  }
  return given;
}

FileFollower::Filled FileFollower::fill() {
  const std::span<char> room = buffer_.room();
  if (log_->packed) {
    if (packed_ended_) return Filled::nothing;
    const auto got = log_->packed->read(room);
    packed_ended_ = !got || *got == 0;
    if (!got) {
      log_warning("follow", "{}; its rest is left out", got.error().text());
      ++losses_;
    }
    if (packed_ended_) return Filled::nothing;
    buffer_.filled(*got);
    return Filled::some;
  }
  // The bytes before are read again with the new ones: were they changed, the file was cut off and
  // written anew, whatever its size is now.
  const std::string_view before = buffer_.newest();
  std::array<char, kTailBytes> again;
  std::array<iovec, 2> parts{{{again.data(), before.size()}, {room.data(), room.size()}}};
  ssize_t got = -1;
  do {
    got = ::preadv(log_->plain.number(), parts.data(), 2,
                   static_cast<off_t>(buffer_.end() - before.size()));
  } while (got < 0 && errno == EINTR);
  unreadable_ = got < 0;
  if (unreadable_) {
    say(false, fmt::format("cannot read {}: {}", escaped(log_->file.path), std::strerror(errno)));
    return Filled::nothing;
  }
  const auto bytes = static_cast<size_t>(got);
  if (bytes < before.size() || before != std::string_view(again.data(), before.size())) {
    return Filled::cut_off;
  }
  buffer_.filled(bytes - before.size());
  return bytes > before.size() ? Filled::some : Filled::nothing;
}

bool FileFollower::open_first() {
  if (to_resume_) {
    const FollowPosition position = *to_resume_;
    if (!find_again(position)) return false;
    to_resume_.reset();
    return true;
  }
  auto log = from_end_ ? open_at_end(options_.path, options_.longest_line)
                       : open_at_beginning(options_.path);
  if (!log) {
    const bool missing = log.error().code == Code::not_found;
    // Gone before it could be read: the next one is new from its first line.
    if (missing) from_end_ = false;
    say(false, missing ? fmt::format("waiting: {} does not exist", escaped(options_.path))
                       : fmt::format("waiting: {}", escaped(log.error().text())));
    return false;
  }
  if (log->packed) {
    say(false, fmt::format("{} is packed: follow the log itself, and read packed ones with "
                           "`watchpost replay`",
                           escaped(options_.path)));
    return false;
  }
  use(std::move(*log));
  return true;
}

// The file of `position` is not where it was: finds what became of it, else what came after it.
bool FileFollower::find_again(const FollowPosition& position) {
  auto found = find_log(options_.path, position);
  if (found) {
    use(std::move(*found));
    return true;
  }
  if (found.error().code == Code::unavailable) {
    to_resume_ = position;
    log_.reset();
    say(false, fmt::format("waiting: {}", escaped(found.error().text())));
    return false;
  }
  if (!open_next(position, false)) return false;
  if (position.offset > 0) {
    before_.reset();
    ++losses_;
    log_warning(
        "follow",
        "{}: was cut off or replaced and no copy of it was found: lines written behind byte "
        "{} of the old one may be lost",
        options_.path, position.offset);
  }
  return true;
}

bool FileFollower::open_next(const FollowPosition& position, bool still_open) {
  Error error;
  for (int look = 0; look < 10; ++look) {
    const auto next = successor(options_.path, position, still_open);
    auto log = next ? open_at_beginning(next->path) : Result<OpenLog>(fail(next.error()));
    if (log && log->file.same_file(*next)) {
      use(std::move(*log));
      return true;
    }
    // Renamed since it was listed: look again.
    error = log ? Error{Code::unavailable, "is renamed all the time", next->path} : log.error();
    if (!log && error.code != Code::not_found) break;
  }
  if (!still_open) {
    to_resume_ = position;
    log_.reset();
  }
  say(false, error.code == Code::not_found
                 ? fmt::format("waiting: {} does not exist", escaped(options_.path))
                 : fmt::format("waiting: {}", escaped(error.text())));
  return false;
}

bool FileFollower::superseded() const {
  const auto live = look_at(options_.path);
  if (live && live->same_file(log_->file)) return false;
  if (live && live->size > 0) return true;
  // The live file is new and empty, or not there. Is there a generation between it and this one?
  const FollowPosition at = here();
  const bool later =
      std::ranges::any_of(generations_of(options_.path, at).older,
                          [&](const LogFile& file) { return file.written_ns > at.written_ns; });
  if (!later) return false;
  const auto next = successor(options_.path, at, true);
  return next.has_value() && !(live && next->same_file(*live)) && !next->same_file(log_->file);
}

void FileFollower::use(OpenLog log) {
  before_ = position();
  buffer_.restart(log.offset, log.head, log.tail);
  say(true, log.file.path == options_.path
                ? "following"
                : fmt::format("catching up: reading {}", escaped(log.file.path)));
  log_ = std::move(log);
  unreadable_ = false;
  packed_ended_ = false;
  opened_empty_ = log_->file.size == 0;
  to_resume_.reset();
}

void FileFollower::wait(Duration patience, const std::stop_token& stop) {
  const auto live = look_at(options_.path);
  if (log_ && !live) {
    say(false, fmt::format("waiting: {} does not exist", escaped(options_.path)));
  } else if (log_ && !unreadable_ && (live->same_file(log_->file) || live->size == 0)) {
    // One that is new and empty is opened when there is something in it.
    say(true, "following");
  }
  const int open_file = log_ ? log_->plain.number() : -1;
  const std::string watched =
      fmt::format("{} {} {}", log_ ? log_->file.inode : 0, live ? live->inode : 0, open_file);
  if (watched != watched_) {
    // What happened before the new watch is seen only by looking once more.
    wakeup_.watch(open_file, options_.path);
    watched_ = watched;
    return;
  }
  wakeup_.wait(patience, stop);
}

std::optional<FollowPosition> FileFollower::position() const {
  if (!log_) return to_resume_;
  // Nothing of this file was used, so that nothing would tell it from others: the place where the
  // one before ended leads here, too.
  if (buffer_.consumed() == 0 && before_) return before_;
  return here();
}

FollowPosition FileFollower::here() const {
  FollowPosition at{.device = log_->file.device,
                    .inode = log_->file.inode,
                    .born_ns = log_->file.born_ns,
                    .offset = buffer_.consumed(),
                    .head = hash128(buffer_.head()),
                    .tail = hash128(buffer_.tail()),
                    .written_ns = log_->file.written_ns};
  if (log_->plain) {
    if (const auto now = look_at(log_->plain.number(), log_->file.path)) {
      at.written_ns = now->written_ns;
    }
  }
  return at;
}

// A file that was empty when it was opened has got its first bytes: others may have come and gone
// in its place meanwhile, cut off after each was copied.
bool FileFollower::must_look_again() const {
  if (!opened_empty_ || !before_ || !log_->plain) return false;
  const auto now = look_at(log_->plain.number(), log_->file.path);
  return now && now->size > 0;
}

uint64_t FileFollower::bytes_behind() const {
  uint64_t behind = 0;
  const auto live = look_at(options_.path);
  if (log_ && log_->plain) {
    const auto now = look_at(log_->plain.number(), log_->file.path);
    if (now && now->size > buffer_.consumed()) behind += now->size - buffer_.consumed();
  }
  if (live && !(log_ && live->same_file(log_->file))) behind += live->size;
  return behind;
}

void FileFollower::say(bool healthy, std::string state) {
  if (state_ == state) return;
  if (healthy) {
    log_info("follow", "{}: {}", options_.path, state);
  } else {
    log_warning("follow", "{}: {}", options_.path, state);
  }
  healthy_ = healthy;
  state_ = std::move(state);
}

}  // namespace watchpost::ingest
