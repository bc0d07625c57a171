#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"
#include "ingest/descriptor.h"
#include "ingest/mail_source.h"
#include "ingest/sources/kinds.h"
#include "ingest/wakeup.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <deque>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <sys/stat.h>
#include <tuple>
#include <unistd.h>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace watchpost::ingest {
namespace {

constexpr Duration kLook = std::chrono::seconds(1);
// Mails are put there a little out of the order of their times.
constexpr int64_t kOverlap = 10'000'000'000;  // ns
constexpr size_t kMostInPosition = 4'000;     // names that a position holds
constexpr size_t kMostKnown = 500'000;        // names that are known again while it runs
constexpr size_t kPositionEvery = 256;        // mails
// How often a mail that cannot be read is tried before a position may lie behind it.
constexpr int kTries = 60;

struct MaildirSettings final : SourceKind::Settings {
  std::string path;
  std::string start = "beginning";
  std::string move_to;
  int64_t largest = 50 * 1024 * 1024;
  void describe(SettingsVisitor& visit) override {
    visit.setting({.name = "path",
                   .help = "The Maildir: the folder in which `new` and `cur` are.",
                   .required = true},
                  &path);
    visit.setting({.name = "start",
                   .help = "Whether a first start reads what is there already, or only what comes "
                           "from then on.",
                   .choices = {"beginning", "end"}},
                  &start);
    visit.setting({.name = "move_to",
                   .help = "Folder to which a mail is moved when what it says is stored; on the "
                           "same file system. Empty: mails stay where they are."},
                  &move_to);
    visit.setting({.name = "largest",
                   .help = "Bytes of a mail that is read; of a larger one the beginning is kept "
                           "for people.",
                   .least = 64 * 1024,
                   .most = 100 * 1024 * 1024},
                  &largest);
  }
};

// A mail in the folder: when it was put there (its inode's change), and the part of its name that
// stays the same when flags are set.
struct Found {
  int64_t put_ns = 0;
  uint64_t name = 0;  // hash of it
  std::string path;
  uint64_t size = 0;
  Time written;
};

int64_t ns_of(const timespec& time) {
  return static_cast<int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

// "maildir1 NS AGE:NAME ...": when the newest mail that was read was put there, and those of just
// before, whose flags may be set later.
struct Place {
  int64_t newest_ns = 0;
  std::set<std::pair<int64_t, uint64_t>> recent;  // when, and name
  std::unordered_set<uint64_t> names;             // of `recent`

  bool has(const Found& found) const {
    return found.put_ns < newest_ns - kOverlap || names.contains(found.name);
  }
  void add(int64_t put_ns, uint64_t name) {
    newest_ns = std::max(newest_ns, put_ns);
    if (names.insert(name).second) recent.emplace(put_ns, name);
    while (recent.size() > 1 &&
           (recent.begin()->first < newest_ns - kOverlap || recent.size() > kMostInPosition)) {
      names.erase(recent.begin()->second);
      recent.erase(recent.begin());
    }
  }
  std::string text() const {
    std::string made = fmt::format("maildir1 {}", newest_ns);
    for (const auto& [at, name] : recent) made += fmt::format(" {}:{:x}", newest_ns - at, name);
    return made;
  }
  static bool parse(std::string_view text, Place& place);
};

template <class Number>
bool read_number(std::string_view word, Number& into, int base = 10) {
  const auto [rest, fault] = std::from_chars(word.data(), word.data() + word.size(), into, base);
  return fault == std::errc() && rest == word.data() + word.size();
}

bool Place::parse(std::string_view text, Place& place) {
  const auto parts = words(text);
  if (parts.size() < 2 || parts.size() > kMostInPosition + 2 || parts[0] != "maildir1")
    return false;
  if (!read_number(parts[1], place.newest_ns)) return false;
  for (size_t i = 2; i < parts.size(); ++i) {
    const size_t colon = parts[i].find(':');
    int64_t before = 0;
    uint64_t name = 0;
    if (colon == std::string_view::npos || !read_number(parts[i].substr(0, colon), before) ||
        !read_number(parts[i].substr(colon + 1), name, 16) || before < 0 || before > kOverlap) {
      return false;
    }
    place.add(place.newest_ns - before, name);
  }
  return true;
}

// Mails that are stored, on their way from the pipeline's thread to the one that moves them.
class Stored {
 public:
  void add(std::string path) {
    const std::lock_guard lock(mutex_);
    paths_.push_back(std::move(path));
  }
  std::vector<std::string> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(paths_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> paths_;
};

class Maildir final : public Source {
 public:
  Maildir(std::string name, const MaildirSettings& settings, const SourceContext& context)
      : path_(settings.path),
        move_to_(settings.move_to),
        from_end_(settings.start == "end"),
        largest_(static_cast<uint64_t>(settings.largest)),
        mails_(std::move(name), context) {}

  Result<Done> run(EventSink& sink, std::string_view position, std::stop_token stop) override;
  SourceStatus status() const override { return mails_.status(); }

 private:
  bool list(const std::string& folder, std::vector<Found>& into) const;
  std::vector<Found> news();
  bool read_all(std::vector<Found> found, EventSink& sink, const std::stop_token& stop);
  std::optional<Arrival> read_one(const Found& one);
  void remember(const Found& one);
  void missed(const Found& one, int error);
  void forget_gone(const std::vector<Found>& found);
  bool may_go_on() const;
  void tell(std::string_view doing, uint64_t bytes_behind);
  void move_stored();
  void cannot_move(const std::string& from, int error);

  std::string path_;
  std::string move_to_;
  bool from_end_;
  uint64_t largest_;
  StoredMailReader mails_;
  Place place_;
  bool unsaid_ = false;                       // the place went on since a position was sent
  std::unordered_set<uint64_t> known_;        // names that were read in this run
  std::unordered_map<uint64_t, int> missed_;  // names that could not be read, and how often
  std::shared_ptr<Stored> stored_ = std::make_shared<Stored>();
  std::deque<std::string> unmoved_;  // stored, and still where they were read
  std::string move_fault_;           // why; empty: none
};

bool Maildir::list(const std::string& folder, std::vector<Found>& into) const {
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder.c_str()), &::closedir);
  if (!open) return false;
  while (const dirent* const entry = ::readdir(open.get())) {
    const std::string_view name = entry->d_name;
    if (name.starts_with('.')) continue;
    Found found{.name = hash64(name.substr(0, name.find(':'))),
                .path = fmt::format("{}/{}", folder, name)};
    if (known_.contains(found.name)) continue;
    struct stat seen{};
    if (::lstat(found.path.c_str(), &seen) != 0 || !S_ISREG(seen.st_mode)) continue;
    found.put_ns = ns_of(seen.st_ctim);
    found.size = static_cast<uint64_t>(seen.st_size);
    found.written = Time{std::chrono::seconds(seen.st_mtim.tv_sec)};
    if (missed_.contains(found.name) || !place_.has(found)) into.push_back(std::move(found));
  }
  return true;
}

// What was not read yet, in the order in which it was put there.
std::vector<Found> Maildir::news() {
  std::vector<Found> found;
  const bool there = list(path_ + "/new", found);
  const int error = errno;
  const bool all = list(path_ + "/cur", found) || errno == ENOENT;
  if (there && all) forget_gone(found);
  if (there) {
    uint64_t bytes = 0;
    for (const Found& one : found) bytes += one.size;
    tell("following", bytes);
  } else {
    mails_.wait_for(path_ + "/new", error);
  }
  std::ranges::sort(found, {}, [](const Found& one) { return std::pair(one.put_ns, one.name); });
  return found;
}

void Maildir::tell(std::string_view doing, uint64_t bytes_behind) {
  if (move_fault_.empty()) {
    mails_.tell(fmt::format("{} {}", doing, path_), true, bytes_behind);
  } else {
    mails_.tell(fmt::format("{} {}; mails {}", doing, path_, move_fault_), false, bytes_behind);
  }
}

// Nothing where it cannot be read now: it is tried again in the next round.
std::optional<Arrival> Maildir::read_one(const Found& one) {
  errno = 0;
  const Descriptor file(::open(one.path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  const bool whole = one.size <= largest_;
  std::string bytes(whole ? one.size : StoredMailReader::kKeptOfLarge, '\0');
  size_t got = 0;
  while (file && got < bytes.size()) {
    const ssize_t some = ::read(file.number(), bytes.data() + got, bytes.size() - got);
    if (some < 0 && errno == EINTR) continue;
    if (some < 0) break;
    if (some == 0) {
      errno = 0;
      break;
    }
    got += static_cast<size_t>(some);
  }
  if (!file || got < bytes.size()) {
    missed(one, errno);
    return std::nullopt;
  }
  if (!whole) return mails_.too_large(bytes, one.size, one.path);
  return mails_.read(bytes, one.written);
}

void Maildir::missed(const Found& one, int error) {
  if (missed_.size() >= kMostKnown) missed_.clear();
  const auto [known, first] = missed_.try_emplace(one.name, 0);
  ++known->second;
  // A mail that was moved meanwhile is found again where it is; one that is gone is not waited for.
  if (error == ENOENT) known->second = kTries;
  if (error == ENOENT || !first) return;
  mails_.unreadable({Code::unavailable,
                     error == 0 ? "it is shorter than its folder says" : std::strerror(error),
                     one.path});
}

void Maildir::forget_gone(const std::vector<Found>& found) {
  if (missed_.empty()) return;
  std::unordered_set<uint64_t> there;
  for (const Found& one : found) there.insert(one.name);
  std::erase_if(missed_, [&](const auto& one) { return !there.contains(one.first); });
}

// Whether a start from here misses nothing that was not read for a passing reason.
bool Maildir::may_go_on() const {
  return std::ranges::all_of(missed_, [](const auto& one) { return one.second >= kTries; });
}

void Maildir::remember(const Found& one) {
  place_.add(one.put_ns, one.name);
  unsaid_ = true;
  missed_.erase(one.name);
  // What is forgotten is known again by its place, and by what it says.
  if (known_.size() >= kMostKnown) known_.clear();
  known_.insert(one.name);
}

// False where the pipeline takes no more.
bool Maildir::read_all(std::vector<Found> found, EventSink& sink, const std::stop_token& stop) {
  uint64_t left = 0;
  for (const Found& one : found) left += one.size;
  for (size_t i = 0; i < found.size(); ++i) {
    if (stop.stop_requested()) return false;
    std::optional<Arrival> read = read_one(found[i]);
    left -= found[i].size;
    const bool due = (i + 1) % kPositionEvery == 0 || i + 1 == found.size();
    if (!read && !due) continue;
    Arrival arrival;
    arrival.source = mails_.name();
    if (read) {
      arrival = std::move(*read);
      remember(found[i]);
      if (!move_to_.empty()) {
        arrival.settled = [stored = stored_, path = found[i].path](const Result<Done>& done) {
          if (done) stored->add(path);
        };
      }
    }
    // Of a round whose last mail was not read, too.
    if (due && unsaid_ && may_go_on()) {
      arrival.position = place_.text();
      unsaid_ = false;
    }
    if (!read && !arrival.position) continue;
    if (!sink.deliver_unless_stopped(std::move(arrival), stop)) return false;
    tell("reading", left);
    move_stored();
  }
  return true;
}

void Maildir::move_stored() {
  for (std::string& from : stored_->take()) {
    if (unmoved_.size() < kMostKnown) unmoved_.push_back(std::move(from));
  }
  // What keeps one from being moved keeps all: the folder.
  for (; !unmoved_.empty(); unmoved_.pop_front()) {
    const std::string& from = unmoved_.front();
    const std::string to = move_to_ + from.substr(from.rfind('/'));
    if (::rename(from.c_str(), to.c_str()) == 0) {
      move_fault_.clear();
      continue;
    }
    const int error = errno;
    struct stat seen{};
    // Somebody else has taken it away.
    if (error == ENOENT && ::lstat(from.c_str(), &seen) != 0) continue;
    return cannot_move(from, error);
  }
}

void Maildir::cannot_move(const std::string& from, int error) {
  std::string fault = fmt::format("cannot be moved to {}: {}", move_to_, std::strerror(error));
  if (fault == move_fault_) return;
  move_fault_ = std::move(fault);
  log_warning("ingest", "{}: {}: {}", mails_.name(), from, move_fault_);
  mails_.unreadable({Code::unavailable, move_fault_, from});
}

Result<Done> Maildir::run(EventSink& sink, std::string_view position, std::stop_token stop) {
  place_ = {};
  known_.clear();
  missed_.clear();
  unsaid_ = false;
  if (!position.empty() && !Place::parse(position, place_)) {
    return fail(Code::corrupt, "is not a place in a Maildir", escaped(position, 200));
  }
  if (position.empty() && from_end_) {
    for (const Found& one : news()) remember(one);
    sink.deliver_unless_stopped({.source = mails_.name(), .position = place_.text()}, stop);
  }
  Wakeup wakeup;
  while (!stop.stop_requested()) {
    // Before looking: what comes meanwhile wakes.
    wakeup.watch(-1, path_ + "/new/x");
    if (!read_all(news(), sink, stop)) break;
    wakeup.wait(kLook, stop);
    move_stored();
  }
  return Done{};
}

std::unique_ptr<SourceKind::Settings> make_settings() {
  return std::make_unique<MaildirSettings>();
}

Result<std::unique_ptr<Source>> make_source(std::string name, const SourceKind::Settings& settings,
                                            const SourceContext& context) {
  const auto& own = dynamic_cast<const MaildirSettings&>(settings);
  if (own.path.empty()) return fail(Code::bad_input, "needs the path of a Maildir", "path");
  struct stat seen{};
  if (::stat(own.path.c_str(), &seen) == 0 && !S_ISDIR(seen.st_mode)) {
    return fail(Code::bad_input,
                fmt::format("{} is no folder: use kind = \"mbox\"", escaped(own.path)), "path");
  }
  for (const std::string_view inside : {"/new", "/cur", "/tmp"}) {
    if (own.move_to == own.path + std::string(inside)) {
      return fail(Code::bad_input, "is a folder that is read", "move_to");
    }
  }
  return std::make_unique<Maildir>(std::move(name), own, context);
}

}  // namespace

const SourceKind kMaildirSource{
    .name = "maildir",
    .summary = "returned mail, complaints and unsubscribe requests from a Maildir",
    .hostile = true,
    .settings = &make_settings,
    .make = &make_source,
    .reader = nullptr,
};

}  // namespace watchpost::ingest
