#include "ingest/dated_files.h"

#include "base/log.h"
#include "base/text.h"

#include <algorithm>
#include <dirent.h>
#include <thread>

#include <fmt/format.h>

namespace watchpost::ingest {
namespace {

constexpr size_t kMostFiles = 1'000'000;  // of one folder
// A position is this word, the name of the file, and the place within it.
constexpr std::string_view kPosition = "dated1 ";

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

}  // namespace

Result<DatedName> DatedName::parse(const std::string& pattern) {
  const size_t slash = pattern.rfind('/');
  const size_t star = pattern.find('*');
  const std::string file = slash == std::string::npos ? pattern : pattern.substr(slash + 1);
  if (std::ranges::count(file, '*') != 1 || (slash != std::string::npos && star < slash)) {
    return fail(Code::bad_input, "may have one `*`, in the name of the file", "path");
  }
  DatedName name;
  name.folder_ = slash == std::string::npos ? "." : slash == 0 ? "/" : pattern.substr(0, slash);
  name.before_ = file.substr(0, file.find('*'));
  name.after_ = file.substr(file.find('*') + 1);
  return name;
}

bool DatedName::fits(std::string_view name) const {
  if (name.size() <= before_.size() + after_.size() || !name.starts_with(before_) ||
      !name.ends_with(after_)) {
    return false;
  }
  name.remove_prefix(before_.size());
  name.remove_suffix(after_.size());
  const bool first = name.front() >= '0' && name.front() <= '9';
  return first && name.find_first_not_of("0123456789-_.T") == std::string_view::npos;
}

std::vector<std::string> DatedName::files() const {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, CloseFolder> listing(::opendir(folder_.c_str()));
  if (!listing) return names;
  while (const dirent* const entry = ::readdir(listing.get())) {
    if (!fits(entry->d_name) || names.size() == kMostFiles) continue;
    if (entry->d_type != DT_REG && !look_at(path_of(entry->d_name))) continue;
    names.emplace_back(entry->d_name);
  }
  std::ranges::sort(names);
  return names;
}

Result<Done> DatedFiles::start(std::string_view position) {
  if (position.empty()) {
    const auto names = options_.name.files();
    if (options_.from_end && !names.empty()) open(names.back(), true, std::nullopt);
    return Done{};
  }
  if (!position.starts_with(kPosition)) {
    return fail(Code::corrupt, "is not a place in dated files", escaped(position, 200));
  }
  position.remove_prefix(kPosition.size());
  const size_t blank = std::min(position.find(' '), position.size());
  const std::string name(position.substr(0, blank));
  auto at = FollowPosition::parse(position.substr(std::min(blank + 1, position.size())));
  if (!at || !options_.name.fits(name)) {
    return fail(Code::corrupt, "is not a place in dated files", escaped(position, 200));
  }
  current_ = name;
  if (look_at(options_.name.path_of(name))) {
    open(name, false, *at);
  } else {
    // Moved away while nobody read.
    ++losses_;
    log_warning("follow", "{}: is gone; what stood behind byte {} of it, if anything, was not read",
                options_.name.path_of(name), at->offset);
  }
  return Done{};
}

void DatedFiles::open(const std::string& name, bool from_end, std::optional<FollowPosition> at) {
  current_ = name;
  file_ = std::make_unique<FileFollower>(FollowOptions{.path = options_.name.path_of(name),
                                                       .longest_line = options_.longest_line,
                                                       .from_end = from_end});
  file_->start(at);
}

void DatedFiles::leave() {
  cut_lines_ += file_->cut_lines();
  losses_ += file_->losses();
  // What is behind now has no newline, and nobody will write one.
  if (look_at(options_.name.path_of(current_)) && file_->bytes_behind() > 0) ++broken_off_;
  file_.reset();
}

// The oldest one behind the current one that has something in it; empty where there is none.
std::string DatedFiles::next_file() const {
  for (const std::string& name : options_.name.files()) {
    if (name <= current_) continue;
    const auto seen = look_at(options_.name.path_of(name));
    if (seen && seen->size > 0) return name;
  }
  return {};
}

size_t DatedFiles::read(size_t most, const Each& each) {
  while (true) {
    if (file_) {
      if (const size_t given = file_->read(most, each); given > 0) return given;
    }
    const std::string next = next_file();
    if (next.empty()) {
      say();
      return 0;
    }
    if (file_) {
      // What was written before the next one had anything in it is all there now: once more.
      if (const size_t given = file_->read(most, each); given > 0) return given;
      leave();
    }
    open(next, false, std::nullopt);
  }
}

void DatedFiles::wait(Duration patience, const std::stop_token& stop) {
  if (file_) return file_->wait(patience, stop);
  // Nothing to watch yet.
  constexpr Duration kStep = std::chrono::milliseconds(50);
  for (Duration waited{}; waited < patience && !stop.stop_requested(); waited += kStep) {
    std::this_thread::sleep_for(kStep);
  }
}

void DatedFiles::say() {
  const bool there = file_ && look_at(options_.name.path_of(current_));
  healthy_ = there ? file_->healthy() : !current_.empty();
  if (there) {
    state_ = file_->healthy() ? fmt::format("following {}", escaped(current_)) : file_->state();
  } else if (current_.empty()) {
    state_ = fmt::format("waiting: {} has no such file yet", escaped(options_.name.folder()));
  } else {
    state_ = fmt::format("waiting for the file after {}", escaped(current_));
  }
}

std::optional<std::string> DatedFiles::position() const {
  if (!file_) return std::nullopt;
  const auto at = file_->position();
  if (!at) return std::nullopt;
  return fmt::format("{}{} {}", kPosition, current_, at->text());
}

uint64_t DatedFiles::bytes_behind() const {
  uint64_t behind = file_ ? file_->bytes_behind() : 0;
  for (const std::string& name : options_.name.files()) {
    if (name <= current_) continue;
    if (const auto seen = look_at(options_.name.path_of(name))) behind += seen->size;
  }
  return behind;
}

void DatedFiles::count_unread(Unread& unread) const {
  const uint64_t cut = cut_lines_ + (file_ ? file_->cut_lines() : 0);
  const uint64_t lost = losses_ + (file_ ? file_->losses() : 0);
  if (cut > 0) unread["line_too_long"].count = cut;
  if (lost > 0) unread["file_cut_off"].count = lost;
  if (broken_off_ > 0) unread["file_broken_off"].count = broken_off_;
}

}  // namespace watchpost::ingest
