#include "store/sqlite/event_writer.h"

#include "base/files.h"
#include "base/log.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

namespace watchpost::store::sqlite {
namespace {

constexpr size_t kOpenWriters = 4;
// A partition is taken to be finished so long after its end, and when nothing came for so long.
constexpr Duration kLate = std::chrono::minutes(5);
constexpr Duration kQuiet = std::chrono::minutes(1);

void count_in(PartitionEntry& entry, const Event& event, uint64_t sequence) {
  if (entry.events == 0) entry.first_sequence = sequence;
  entry.last_sequence = sequence;
  entry.first_at = std::min(entry.first_at, event.at);
  entry.last_at = std::max(entry.last_at, event.at);
  ++entry.events;
}

}  // namespace

Result<Done> EventWriter::open(Catalog catalog, uint64_t last_event) {
  catalog_ = std::move(catalog);
  for (const auto& [start, entry] : catalog_) {
    const std::string path = partition_path(folder_, start);
    if (!std::filesystem::exists(path)) {
      log_warning("store", "{} is gone, and {} events with it", path, entry.events);
      continue;
    }
    const auto checked = check_file(entry, last_event);
    if (checked) continue;
    if (checked.error().code != Code::corrupt) return checked;
    const auto aside = set_aside(path, checked.error());
    if (!aside) return aside;
  }
  return remove_unlisted(last_event);
}

// History that cannot be read is no reason to leave the mail server without its measures. The file
// is kept for whoever wants to repair it.
Result<Done> EventWriter::set_aside(const std::string& path, const Error& why) {
  log_error("store", "{} is damaged and was moved to {}.damaged: {}", path, path, why.what);
  for (const std::string_view suffix : {"-wal", "-shm", ""}) {
    const std::string name = path + std::string(suffix);
    const std::string aside = path + ".damaged" + std::string(suffix);
    if (std::rename(name.c_str(), aside.c_str()) != 0 && errno != ENOENT) {
      return fail(system_error(errno, "the damaged file cannot be moved aside", name));
    }
  }
  return sync_folder(folder_);
}

Result<Done> EventWriter::check_file(const PartitionEntry& entry, uint64_t last_event) {
  auto writer = PartitionWriter::open(partition_path(folder_, entry.start));
  if (!writer) return fail(writer.error());
  const auto last = writer->last_sequence();
  if (!last) return fail(last.error());
  if (*last > last_event) {
    const auto cut = writer->cut(last_event);
    if (!cut) return cut;
  }
  const auto indexed = writer->indexed();
  if (!indexed) return fail(indexed.error());
  progress_[entry.start] = {.indexed = *indexed, .settled = *indexed == entry.events};
  return Done{};
}

// Files that state.db does not know were made for a commit that did not come about. Anything else
// is not ours to remove: it is moved out of the way.
Result<Done> EventWriter::remove_unlisted(uint64_t last_event) {
  std::error_code error;
  std::vector<std::string> unlisted;
  for (const auto& file : std::filesystem::directory_iterator(folder_, error)) {
    const std::string path = file.path().string();
    const bool listed = std::ranges::any_of(
        catalog_, [&](const auto& known) { return partition_path(folder_, known.first) == path; });
    if (path.ends_with(".db") && !listed) unlisted.push_back(path);
  }
  if (error) return fail(system_error(error.value(), "the folder cannot be read", folder_));
  for (const std::string& path : unlisted) {
    uint64_t first = 0;
    {
      auto writer = PartitionWriter::open(path);
      if (!writer) return fail(writer.error());
      const auto sequence = writer->first_sequence();
      if (!sequence) return fail(sequence.error());
      first = *sequence;
    }
    if (first == 0 || first > last_event) {
      const auto removed = remove_database(path);
      if (!removed) return removed;
      continue;
    }
    log_warning("store", "{} does not belong to this store; moved aside", path);
    if (std::rename(path.c_str(), (path + ".aside").c_str()) != 0) {
      return fail(system_error(errno, "the file cannot be moved aside", path));
    }
  }
  return Done{};
}

std::vector<EventWriter::Group> EventWriter::grouped(std::span<const Event> events,
                                                     const VerdictOf& verdict_of,
                                                     uint64_t last_event) const {
  std::vector<Group> groups;
  std::map<Time, size_t> group_of;
  std::optional<Catalog> planned;  // with the partitions that these events need and that are new
  size_t current = SIZE_MAX;
  for (const Event& event : events) {
    const bool same = current != SIZE_MAX && groups[current].entry.start <= event.at &&
                      event.at < groups[current].entry.until;
    if (!same) {
      const PartitionEntry entry = partition_for(planned ? *planned : catalog_, event.at, span_);
      if (entry.events == 0 && !planned) planned = catalog_;
      if (planned) planned->emplace(entry.start, entry);
      const auto [place, made] = group_of.try_emplace(entry.start, groups.size());
      if (made) groups.push_back({entry, {}});
      current = place->second;
    }
    Group& group = groups[current];
    const auto verdict = verdict_of.find(event.id);
    group.rows.push_back(
        {&event, ++last_event, verdict == verdict_of.end() ? std::string_view() : verdict->second});
    count_in(group.entry, event, last_event);
  }
  return groups;
}

Result<PartitionWriter*> EventWriter::writer_of(Time start) {
  const auto found = std::ranges::find(open_, start, &Open::start);
  if (found != open_.end()) {
    open_.splice(open_.begin(), open_, found);
    return &open_.front().writer;
  }
  while (open_.size() >= kOpenWriters) open_.pop_back();
  const std::string path = partition_path(folder_, start);
  const bool made = !std::filesystem::exists(path);
  auto writer = PartitionWriter::open(path);
  if (!writer) return fail(writer.error());
  if (made) {
    const auto synced = sync_folder(folder_);
    if (!synced) return fail(synced.error());
  }
  open_.push_front({start, std::move(*writer)});
  return &open_.front().writer;
}

Result<std::vector<PartitionEntry>> EventWriter::write(std::span<const Event> events,
                                                       std::span<const KeptVerdict> verdicts,
                                                       uint64_t last_event) {
  const auto clean = cut_rejected(last_event);
  if (!clean) return fail(clean.error());
  VerdictOf verdict_of;
  for (const KeptVerdict& verdict : verdicts) verdict_of.emplace(verdict.event, verdict.json);
  std::vector<PartitionEntry> written;
  for (const Group& group : grouped(events, verdict_of, last_event)) {
    to_cut_.insert(group.entry.start);  // until accept()
    const auto writer = writer_of(group.entry.start);
    if (!writer) return fail(writer.error());
    const auto done = (*writer)->write(group.rows);
    if (!done) return fail(done.error());
    written.push_back(group.entry);
  }
  return written;
}

void EventWriter::accept(std::span<const PartitionEntry> written) {
  to_cut_.clear();
  for (const PartitionEntry& entry : written) {
    catalog_[entry.start] = entry;
    Progress& progress = progress_[entry.start];
    progress.written = true;
    progress.settled = false;
  }
}

void EventWriter::reject(uint64_t last_event) {
  // Where the disk is full this may fail as well; then it comes before the next write.
  (void)cut_rejected(last_event);
}

Result<Done> EventWriter::cut_rejected(uint64_t last_event) {
  while (!to_cut_.empty()) {
    const auto writer = writer_of(*to_cut_.begin());
    if (!writer) return fail(writer.error());
    const auto cut = (*writer)->cut(last_event);
    if (!cut) return cut;
    to_cut_.erase(to_cut_.begin());
  }
  return Done{};
}

bool EventWriter::wants_index(const PartitionEntry& entry, Progress& progress, Time now) const {
  if (progress.written) progress.quiet_since = now;
  progress.written = false;
  if (progress.settled) return false;
  if (entry.events >= progress.indexed + PartitionWriter::kRun) return true;
  return now - kLate >= entry.until && now - kQuiet >= progress.quiet_since;
}

Result<bool> EventWriter::index_step(Time now) {
  for (const auto& [start, entry] : catalog_) {
    Progress& progress = progress_[start];
    if (to_cut_.contains(start) || !wants_index(entry, progress, now)) continue;
    const auto writer = writer_of(start);
    if (!writer) return fail(writer.error());
    const auto indexed = (*writer)->index_run();
    if (!indexed) return fail(indexed.error());
    progress.indexed += *indexed;
    if (*indexed < PartitionWriter::kRun) {
      const auto settled = (*writer)->settle();
      if (!settled) return fail(settled.error());
      open_.pop_front();
      progress.settled = true;
    }
    return true;
  }
  return false;
}

Result<Done> EventWriter::remove_file(Time start) {
  open_.remove_if([&](const Open& open) { return open.start == start; });
  return remove_database(partition_path(folder_, start));
}

void EventWriter::forget(Time start) {
  to_cut_.erase(start);
  progress_.erase(start);
  catalog_.erase(start);
}

}  // namespace watchpost::store::sqlite
