#include "ingest/segments.h"

#include "base/log.h"
#include "base/text.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <memory>
#include <sys/stat.h>
#include <utility>

#include <fmt/format.h>

namespace watchpost::ingest {
namespace {

// Of one folder; a writer that makes more segments than this before they are read is not one.
constexpr size_t kMostSegments = 1'000'000;

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

bool older(const SegmentName& a, const SegmentName& b) { return a.since() < b.since(); }

bool is_regular(const std::string& path) {
  struct stat seen{};
  return ::stat(path.c_str(), &seen) == 0 && S_ISREG(seen.st_mode);
}

}  // namespace

SegmentFollower::SegmentFollower(SegmentOptions options) : options_(std::move(options)) {
  while (options_.folder.size() > 1 && options_.folder.ends_with('/')) options_.folder.pop_back();
}

std::string SegmentFollower::path_of(const SegmentName& name) const {
  return options_.folder + "/" + name.text;
}

Result<Done> SegmentFollower::start(std::string_view position) {
  series_.clear();
  if (!position.empty()) {
    auto places = segment_places_from(position);
    if (!places) return fail(places.error());
    for (SegmentPlace& place : *places) {
      Series& series = series_[std::string(place.name.suffix())];
      series.suffix = std::string(place.name.suffix());
      series.place = std::move(place);
    }
    look();
    return Done{};
  }
  if (!look() || !options_.from_end) return Done{};
  for (auto& [suffix, series] : series_) to_the_end(series);
  if (stop_.stop_requested()) series_.clear();
  return Done{};
}

// What is there now. False where the folder cannot be read.
bool SegmentFollower::look() {
  there_.clear();
  const std::unique_ptr<DIR, CloseFolder> folder(::opendir(options_.folder.c_str()));
  if (!folder) {
    say(false, errno == ENOENT ? fmt::format("waiting: {} does not exist", escaped(options_.folder))
                               : fmt::format("waiting: {} cannot be read: {}",
                                             escaped(options_.folder), std::strerror(errno)));
    return false;
  }
  size_t count = 0;
  while (const dirent* const entry = ::readdir(folder.get())) {
    auto name = SegmentName::parse(entry->d_name);
    if (!name || ++count > kMostSegments) continue;
    if (entry->d_type != DT_REG && !is_regular(path_of(*name))) continue;
    there_[std::string(name->suffix())].push_back(std::move(*name));
  }
  for (auto& [suffix, names] : there_) {
    std::ranges::sort(names, older);
    // One that comes into being later is read from its first segment on.
    if (series_.size() < kMostSuffixes) series_.try_emplace(suffix, Series{.suffix = suffix});
  }
  return true;
}

// The segment that follows the one of the series' place.
const SegmentName* SegmentFollower::after(const Series& series) const {
  const auto names = there_.find(series.suffix);
  if (names == there_.end()) return nullptr;
  const auto next = std::ranges::upper_bound(names->second, series.place.name, older);
  return next == names->second.end() ? nullptr : &*next;
}

// A first start: what is there now was before our time.
void SegmentFollower::to_the_end(Series& series) {
  if (!open(series, there_.at(series.suffix).back())) return;
  const Each drop = [](const Line&, const Hash128&) {};
  do {
    while (give(series, 4096, drop) > 0) {
    }
  } while (!stop_.stop_requested() && fill(series) == Filled::some);
}

// When what is to be read next of it was begun; behind all times where there is nothing.
std::string_view SegmentFollower::next_since(const Series& series) const {
  if (series.open || (!series.place.done && !series.place.name.text.empty())) {
    return series.place.name.since();
  }
  const SegmentName* const next = after(series);
  return next == nullptr ? "~" : next->since();
}

std::vector<SegmentFollower::Series*> SegmentFollower::oldest_first() {
  std::vector<Series*> order;
  order.reserve(series_.size());
  for (auto& [suffix, series] : series_) order.push_back(&series);
  std::ranges::stable_sort(order, {}, [this](const Series* series) { return next_since(*series); });
  return order;
}

size_t SegmentFollower::read(size_t most, const Each& each) {
  trouble_ = false;
  for (Series* const series : oldest_first()) {
    if (const size_t given = read_series(*series, most, each); given > 0) return given;
  }
  if (!look()) return 0;
  // Something new may have come with the look.
  for (Series* const series : oldest_first()) {
    if (const size_t given = read_series(*series, most, each); given > 0) return given;
  }
  return 0;
}

size_t SegmentFollower::read_series(Series& series, size_t most, const Each& each) {
  while (true) {
    if (!series.open && !open_next(series)) return 0;
    if (const size_t given = give(series, most, each); given > 0) return given;
    Filled filled = fill(series);
    if (filled == Filled::nothing) {
      if (!ended(series)) return 0;
      // What was written before that is all there now: once more.
      filled = fill(series);
    }
    if (filled == Filled::some) continue;
    if (const size_t given = finish(series, filled == Filled::damaged, each); given > 0) {
      return given;
    }
  }
}

bool SegmentFollower::open_next(Series& series) {
  if (!series.place.name.text.empty() && !series.place.done) return open_again(series);
  const SegmentName* const next = after(series);
  return next != nullptr && open(series, *next);
}

// The segment of the place, where reading stopped before the start.
bool SegmentFollower::open_again(Series& series) {
  const SegmentPlace place = series.place;
  if (open(series, place.name)) {
    series.place = place;
    series.open->skip_until = place.offset;
    series.open->checked = place.offset == 0;
    return true;
  }
  if (is_regular(path_of(place.name))) return false;
  log_warning("segments", "{}: is gone; what stood behind byte {} of it, if anything, was not read",
              path_of(place.name), place.offset);
  ++gone_;
  series.place.done = true;
  return open_next(series);
}

bool SegmentFollower::open(Series& series, const SegmentName& name) {
  auto bytes = GrowingBytes::open(path_of(name));
  if (!bytes) {
    if (bytes.error().code != Code::not_found) {
      say(false, fmt::format("waiting: {}", escaped(bytes.error().text())));
    }
    return false;
  }
  SegmentName opened = name;  // may be in there_, which the next look replaces
  series.open.emplace(Open{
      .bytes = std::move(*bytes), .lines = LineBuffer(options_.longest_line), .checked = true});
  series.open->lines.restart(0, {}, {});
  series.place = SegmentPlace{.name = std::move(opened)};
  return true;
}

size_t SegmentFollower::give(Series& series, size_t most, const Each& each) {
  Open& from = *series.open;
  if (!from.checked && from.lines.generation()) {
    from.checked = true;
    if (from.lines.generation() != series.place.generation) {
      log_warning("segments", "{}: is another one than before: it is read from its beginning",
                  path_of(series.place.name));
      from.skip_until = 0;
    }
  }
  Line line;
  size_t given = 0;
  while (given < most && from.lines.next(line)) {
    if (line.offset < from.skip_until) continue;
    each(line, line_id(from.lines.generation(), line));
    ++given;
  }
  return given;
}

SegmentFollower::Filled SegmentFollower::fill(Series& series) {
  const auto got = series.open->bytes.read(series.open->lines.room());
  if (!got) {
    if (got.error().code == Code::corrupt) return Filled::damaged;
    say(false, escaped(got.error().text()));
    return Filled::nothing;
  }
  series.open->lines.filled(*got);
  return *got > 0 ? Filled::some : Filled::nothing;
}

// Nothing is written to it any more.
bool SegmentFollower::ended(const Series& series) const {
  struct stat seen{};
  if (::fstat(series.open->bytes.descriptor(), &seen) != 0) return true;
  const bool writable = (seen.st_mode & (S_IWUSR | S_IWGRP | S_IWOTH)) != 0;
  return !writable || seen.st_nlink == 0 || after(series) != nullptr;
}

// Returns how many lines that gave.
size_t SegmentFollower::finish(Series& series, bool damaged, const Each& each) {
  Open& from = *series.open;
  size_t given = 0;
  if (!damaged && from.bytes.whole()) {
    Line line;
    if (from.lines.last(line) && line.offset >= from.skip_until) {
      each(line, line_id(from.lines.generation(), line));
      given = 1;
    }
  } else {
    // Half a line at best is left of it.
    ++(damaged ? damaged_ : broken_off_);
    log_warning("segments", "{}: {} behind byte {} of its text; the rest is left out",
                path_of(series.place.name), damaged ? "is damaged" : "breaks off",
                from.lines.end());
  }
  series.place.offset = from.lines.consumed();
  series.place.generation = from.lines.generation();
  series.place.done = true;
  cut_lines_ += from.lines.cut_lines();
  series.open.reset();
  return given;
}

std::optional<std::string> SegmentFollower::position() const {
  std::vector<SegmentPlace> places;
  for (const auto& [suffix, series] : series_) {
    if (series.place.name.text.empty()) continue;
    SegmentPlace place = series.place;
    if (series.open && series.open->checked) {
      place.offset = std::max(series.open->lines.consumed(), series.open->skip_until);
      place.generation = place.offset > 0 ? series.open->lines.generation() : Hash128{};
    }
    places.push_back(std::move(place));
  }
  if (places.empty()) return std::nullopt;
  return text_of(places);
}

uint64_t SegmentFollower::bytes_behind() const {
  uint64_t behind = 0;
  struct stat seen{};
  for (const auto& [suffix, series] : series_) {
    if (series.open && ::fstat(series.open->bytes.descriptor(), &seen) == 0 &&
        static_cast<uint64_t>(seen.st_size) > series.open->bytes.raw_read()) {
      behind += static_cast<uint64_t>(seen.st_size) - series.open->bytes.raw_read();
    }
    const auto names = there_.find(suffix);
    if (names == there_.end()) continue;
    for (const SegmentName& name : names->second) {
      if (older(series.place.name, name) && ::stat(path_of(name).c_str(), &seen) == 0) {
        behind += static_cast<uint64_t>(seen.st_size);
      }
    }
  }
  return behind;
}

void SegmentFollower::wait(Duration patience, const std::stop_token& stop) {
  const Series* newest = nullptr;
  for (const auto& [suffix, series] : series_) {
    if (series.open && (newest == nullptr || older(newest->place.name, series.place.name))) {
      newest = &series;
    }
  }
  if (!trouble_) say(true, "following");
  const int descriptor = newest == nullptr ? -1 : newest->open->bytes.descriptor();
  const std::string watched = fmt::format(
      "{} {} {}", newest == nullptr ? "" : newest->place.name.text, descriptor, there_.empty());
  if (watched != watched_) {
    // What happened before the new watch is seen only by looking once more.
    wakeup_.watch(descriptor, options_.folder + "/.");
    watched_ = watched;
    return;
  }
  wakeup_.wait(patience, stop);
}

void SegmentFollower::count_unread(Unread& unread) const {
  uint64_t cut = cut_lines_;
  for (const auto& [suffix, series] : series_) {
    if (series.open) cut += series.open->lines.cut_lines();
  }
  if (cut > 0) unread["line_too_long"].count = cut;
  if (damaged_ > 0) unread["segment_damaged"].count = damaged_;
  if (broken_off_ > 0) unread["segment_broken_off"].count = broken_off_;
  if (gone_ > 0) unread["segment_gone"].count = gone_;
}

void SegmentFollower::say(bool healthy, std::string state) {
  if (!healthy) trouble_ = true;
  if (state_ == state) return;
  if (healthy) {
    log_info("segments", "{}: {}", options_.folder, state);
  } else {
    log_warning("segments", "{}: {}", options_.folder, state);
  }
  healthy_ = healthy;
  state_ = std::move(state);
}

}  // namespace watchpost::ingest
