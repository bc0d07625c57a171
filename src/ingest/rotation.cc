#include "ingest/rotation.h"

#include "base/hash.h"
#include "ingest/line_buffer.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <string_view>
#include <sys/stat.h>
#include <utility>

namespace watchpost::ingest {
namespace {

// How a rotated file's name goes on behind the live one's, taken apart.
struct Suffix {
  bool dated = false;     // "-20261124" rather than ".1"
  std::string_view mark;  // the digits, and for dated ones what follows them
  bool packed = false;    // ".gz" or ".zst" behind it
};

std::optional<Suffix> suffix_of(std::string_view rest) {
  Suffix suffix;
  for (const std::string_view packing : {".gz", ".zst"}) {
    if (!rest.ends_with(packing)) continue;
    rest.remove_suffix(packing.size());
    suffix.packed = true;
    break;
  }
  if (rest.size() < 2 || (rest[0] != '.' && rest[0] != '-')) return std::nullopt;
  suffix.mark = rest.substr(1);
  const size_t digits = std::min(suffix.mark.find_first_not_of("0123456789"), suffix.mark.size());
  suffix.dated =
      digits >= 8 && suffix.mark.find_first_not_of("0123456789-._T") == std::string_view::npos;
  const bool known = suffix.dated || (rest[0] == '.' && digits == suffix.mark.size());
  return known ? std::optional(suffix) : std::nullopt;
}

struct Candidate {
  LogFile file;
  bool named = false;  // its name is that of a rotated file
  bool dated = false;
  std::string mark;
  bool packed = false;
};

// Oldest first: by name where the names are of one sort, as times of copies may not be kept.
void sort_by_age(std::vector<Candidate>& all) {
  const auto numbered = [](const Candidate& one) { return one.named && !one.dated; };
  const auto dated = [](const Candidate& one) { return one.named && one.dated; };
  if (std::ranges::all_of(all, numbered)) {
    std::ranges::stable_sort(all, [](const Candidate& a, const Candidate& b) {
      return a.mark.size() != b.mark.size() ? a.mark.size() > b.mark.size() : a.mark > b.mark;
    });
  } else if (std::ranges::all_of(all, dated)) {
    std::ranges::stable_sort(all, {}, &Candidate::mark);
  } else {
    std::ranges::stable_sort(all, {}, [](const Candidate& one) { return one.file.written_ns; });
  }
}

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}
std::string name_in_folder(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

void add_from_folder(const std::string& folder, std::string_view name,
                     const FollowPosition& position, std::vector<Candidate>& all) {
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::opendir(folder.c_str()), &::closedir);
  if (!listing) return;
  while (const dirent* const entry = ::readdir(listing.get())) {
    const std::string_view other(entry->d_name);
    std::optional<Suffix> suffix;
    if (other.starts_with(name)) suffix = suffix_of(other.substr(name.size()));
    if (!suffix && entry->d_ino != position.inode) continue;
    auto file = look_at(folder + "/" + std::string(other));
    if (!file) continue;
    if (!suffix && file->device != position.device) continue;
    Candidate candidate{.file = std::move(*file), .named = suffix.has_value()};
    if (suffix) {
      candidate.dated = suffix->dated;
      candidate.mark = std::string(suffix->mark);
      candidate.packed = suffix->packed;
    }
    all.push_back(std::move(candidate));
  }
}

// While a file is being packed both are there; the packed one is not whole yet.
void drop_half_packed(std::vector<Candidate>& all) {
  std::erase_if(all, [&](const Candidate& one) {
    return one.packed && std::ranges::any_of(all, [&](const Candidate& other) {
             return !other.packed && other.named && other.mark == one.mark;
           });
  });
}

bool read_exactly(int file, uint64_t offset, std::span<char> into) {
  size_t done = 0;
  while (done < into.size()) {
    const ssize_t got =
        ::pread(file, into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    done += static_cast<size_t>(got);
  }
  return true;
}

std::unexpected<Error> another_file(const std::string& path) {
  return fail(Code::not_found, "is another file than before", path);
}

// Reads head and tail of `log` for its offset.
Result<Done> read_plain_ends(OpenLog& log) {
  log.head.resize(static_cast<size_t>(std::min<uint64_t>(log.offset, kHeadBytes)));
  log.tail.resize(static_cast<size_t>(std::min<uint64_t>(log.offset, kTailBytes)));
  if (!read_exactly(log.plain.number(), 0, log.head) ||
      !read_exactly(log.plain.number(), log.offset - log.tail.size(), log.tail)) {
    return another_file(log.file.path);
  }
  return Done{};
}

// The same for a packed file, which is read up to its offset. Stops at once where the beginning is
// another one.
Result<Done> read_packed_ends(OpenLog& log, const FollowPosition& position) {
  std::vector<char> block(256 * 1024);
  uint64_t at = 0;
  while (at < log.offset) {
    const auto most = static_cast<size_t>(std::min<uint64_t>(block.size(), log.offset - at));
    const auto got = log.packed->read(std::span(block).first(most));
    if (!got) return fail(got.error());
    if (*got == 0) return another_file(log.file.path);
    const std::string_view bytes(block.data(), *got);
    if (log.head.size() < kHeadBytes) {
      log.head.append(bytes.substr(0, kHeadBytes - log.head.size()));
      const bool whole = log.head.size() == position.head_size();
      if (whole && hash128(log.head) != position.head) return another_file(log.file.path);
    }
    log.tail.append(bytes.substr(bytes.size() - std::min(bytes.size(), kTailBytes)));
    if (log.tail.size() > kTailBytes) log.tail.erase(0, log.tail.size() - kTailBytes);
    at += *got;
  }
  return Done{};
}

}  // namespace

namespace {

std::unexpected<Error> cannot(const std::string& path) {
  const bool missing = errno == ENOENT || errno == ENOTDIR;
  return fail(missing ? Code::not_found : Code::unavailable, std::strerror(errno), path);
}

int64_t nanoseconds(const struct statx_timestamp& at) {
  return at.tv_sec * 1'000'000'000 + at.tv_nsec;
}

// Of `path`, or of the open `descriptor` where `path` is empty.
Result<LogFile> stat_file(int descriptor, const char* path, const std::string& name) {
  struct statx seen{};
  const int flags = *path == '\0' ? AT_EMPTY_PATH : 0;
  if (::statx(descriptor, path, flags, STATX_BASIC_STATS | STATX_BTIME, &seen) != 0) {
    return cannot(name);
  }
  if (!S_ISREG(seen.stx_mode)) return fail(Code::refused, "is not a regular file", name);
  const bool has_birth = (seen.stx_mask & STATX_BTIME) != 0;
  return LogFile{.path = name,
                 .device = (uint64_t{seen.stx_dev_major} << 32) | seen.stx_dev_minor,
                 .inode = seen.stx_ino,
                 .size = seen.stx_size,
                 .written_ns = nanoseconds(seen.stx_mtime),
                 .born_ns = has_birth ? nanoseconds(seen.stx_btime) : 0};
}

}  // namespace

bool LogFile::is_of(const FollowPosition& position) const {
  return device == position.device && inode == position.inode &&
         (born_ns == position.born_ns || born_ns == 0 || position.born_ns == 0);
}

Result<LogFile> look_at(const std::string& path) {
  if (path.empty()) return fail(Code::not_found, "has no name");
  return stat_file(AT_FDCWD, path.c_str(), path);
}

Result<LogFile> look_at(int descriptor, const std::string& path) {
  return stat_file(descriptor, "", path);
}

namespace {

// Looked at twice and found the same, names did not move meanwhile. A log that is rotated all the
// time is taken as it was seen last.
constexpr int kLooks = 20;

Generations look_once(const std::string& path, const FollowPosition& position) {
  std::vector<Candidate> all;
  Generations seen{.live = look_at(path)};
  add_from_folder(folder_of(path), name_in_folder(path), position, all);
  const std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), &std::free);
  if (real && folder_of(real.get()) != folder_of(path)) {
    add_from_folder(folder_of(real.get()), name_in_folder(real.get()), position, all);
  }
  if (seen.live) {
    std::erase_if(all, [&](const Candidate& one) { return one.file.same_file(*seen.live); });
  }
  drop_half_packed(all);
  sort_by_age(all);
  for (Candidate& one : all) {
    const bool twice = std::ranges::any_of(
        seen.older, [&](const LogFile& other) { return other.same_file(one.file); });
    if (!twice) seen.older.push_back(std::move(one.file));
  }
  return seen;
}

}  // namespace

bool Generations::same_files(const Generations& other) const {
  const auto same = [](const LogFile& a, const LogFile& b) {
    return a.path == b.path && a.same_file(b);
  };
  if (live.has_value() != other.live.has_value()) return false;
  return (!live || same(*live, *other.live)) && std::ranges::equal(older, other.older, same);
}

Generations generations_of(const std::string& path, const FollowPosition& position) {
  Generations seen = look_once(path, position);
  for (int look = 0; look < kLooks; ++look) {
    Generations again = look_once(path, position);
    const bool same = again.same_files(seen);
    seen = std::move(again);
    if (same) break;
  }
  return seen;
}

Result<OpenLog> open_at_beginning(const std::string& path) {
  // Not blocking: a pipe in its place must not stop us.
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return cannot(path);
  OpenLog log;
  auto seen = look_at(file.number(), path);
  if (!seen) return fail(seen.error());
  log.file = std::move(*seen);
  Descriptor again(::dup(file.number()));
  auto bytes = ByteStream::over(std::move(again), path);
  if (!bytes) return fail(bytes.error());
  if (bytes->packed()) {
    log.packed = std::move(*bytes);
  } else {
    log.plain = std::move(file);
  }
  return log;
}

Result<OpenLog> open_at_end(const std::string& path, size_t longest_line) {
  auto log = open_at_beginning(path);
  if (!log || log->packed) return log;
  log->offset = log->file.size;
  std::vector<char> rest(static_cast<size_t>(std::min<uint64_t>(log->file.size, longest_line)));
  if (!read_exactly(log->plain.number(), log->offset - rest.size(), rest)) {
    return another_file(path);
  }
  const size_t newline = std::string_view(rest.data(), rest.size()).rfind('\n');
  if (newline != std::string_view::npos) {
    log->offset -= rest.size() - newline - 1;
  } else if (rest.size() == log->offset) {
    log->offset = 0;
  }
  const auto ends = read_plain_ends(*log);
  if (!ends) return fail(ends.error());
  return log;
}

Result<OpenLog> open_at(const std::string& path, const FollowPosition& position) {
  auto log = open_at_beginning(path);
  if (!log) return log;
  log->offset = position.offset;
  if (position.offset == 0) {
    // Nothing of it was used, so that there are no bytes to know it by.
    return log->file.is_of(position) ? std::move(log) : another_file(path);
  }
  const auto ends = log->packed ? read_packed_ends(*log, position) : read_plain_ends(*log);
  if (!ends) return fail(ends.error());
  if (hash128(log->head) != position.head || hash128(log->tail) != position.tail) {
    return another_file(path);
  }
  return log;
}

namespace {

Result<OpenLog> find_among(const Generations& generations, const FollowPosition& position,
                           const std::string& path) {
  std::vector<LogFile> all = generations.older;
  if (generations.live) all.push_back(*generations.live);
  // The file itself where it is still there; else the oldest that may be its copy: younger ones
  // can begin alike. A copy was not last written before what it is a copy of.
  const auto is_it = [&](const LogFile& file) { return file.is_of(position); };
  const auto rest = std::ranges::stable_partition(all, is_it);
  std::ranges::stable_partition(
      rest, [&](const LogFile& file) { return file.written_ns >= position.written_ns; });
  for (const LogFile& file : all) {
    auto found = open_at(file.path, position);
    if (found) return found;
    if (is_it(file) && found.error().code == Code::unavailable) return found;
  }
  const auto& live = generations.live;
  if (!live && live.error().code == Code::unavailable) return fail(live.error());
  return fail(Code::not_found, "the file read before is gone", path);
}

}  // namespace

Result<OpenLog> find_log(const std::string& path, const FollowPosition& position) {
  for (int look = 0;; ++look) {
    const Generations generations = generations_of(path, position);
    auto found = find_among(generations, position, path);
    if (found || look == kLooks) return found;
    // Not there, unless names moved while they were gone through.
    if (generations_of(path, position).same_files(generations)) return found;
  }
}

Result<LogFile> successor(const std::string& path, const FollowPosition& position,
                          bool still_open) {
  const Generations generations = generations_of(path, position);
  const std::vector<LogFile>& all = generations.older;
  auto done = all.end();
  // Where nothing of the old file was used, it may be among these, packed.
  const auto unread = [&](const LogFile& file) {
    return position.offset == 0 ? file.written_ns >= position.written_ns
                                : file.written_ns > position.written_ns;
  };
  // The inode of a file that is open is its own; else it may be used again by another.
  if (still_open) {
    done = std::ranges::find_if(all, [&](const LogFile& file) { return file.is_of(position); });
    if (done == all.end() && position.offset > 0) {
      done = std::ranges::find_if(
          all, [&](const LogFile& file) { return open_at(file.path, position).has_value(); });
    }
  }
  const auto next = done != all.end() ? std::next(done) : std::ranges::find_if(all, unread);
  if (next != all.end()) return *next;
  return generations.live;
}

}  // namespace watchpost::ingest
