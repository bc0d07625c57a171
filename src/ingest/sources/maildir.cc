#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"
#include "ingest/descriptor.h"
#include "ingest/mail_mover.h"
#include "ingest/mail_source.h"
#include "ingest/maildir_place.h"
#include "ingest/sources/kinds.h"
#include "ingest/wakeup.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace watchpost::ingest {
namespace {

constexpr Duration kLook = std::chrono::seconds(1);
constexpr size_t kMostMissed = 500'000;
constexpr size_t kPositionEvery = 256;  // mails
// A position is said at least so often where mails that it tells of were taken away.
constexpr Duration kPositionLatest = std::chrono::minutes(1);
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
  std::vector<Error> missing() const override;
};

std::vector<Error> MaildirSettings::missing() const {
  std::vector<Error> all;
  const auto look = [&](const std::string& folder, struct stat& seen, std::string_view setting,
                        std::string_view then) {
    const bool there = ::stat(folder.c_str(), &seen) == 0;
    if (there && S_ISDIR(seen.st_mode)) return true;
    all.push_back(
        {Code::not_found,
         fmt::format("{}: {}; {}", escaped(folder), std::strerror(there ? ENOTDIR : errno), then),
         std::string(setting)});
    return false;
  };
  struct stat seen{};
  if (!look(path, seen, "path", "it is waited for")) return all;
  struct stat inside{};
  look(path + "/new", inside, "path", "it is waited for, and nothing is read until then");
  look(path + "/cur", inside, "path", "is this a Maildir?");
  if (move_to.empty()) return all;
  if (look(move_to, inside, "move_to", "mails that were read stay where they are") &&
      inside.st_dev != seen.st_dev) {
    all.push_back({Code::refused,
                   fmt::format("{} is on another file system than {}: mails that were read stay "
                               "where they are",
                               escaped(move_to), escaped(path)),
                   "move_to"});
  }
  return all;
}

// A mail in the folder that was not read yet.
struct Found {
  PutMail mail;
  uint32_t entry = 0;  // see MaildirPlace
  std::string path;
  uint64_t size = 0;
  Time written;
};

int64_t ns_of(const timespec& time) {
  return static_cast<int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

class Maildir final : public Source {
 public:
  Maildir(std::string name, const MaildirSettings& settings, const SourceContext& context)
      : path_(settings.path),
        mover_(settings.move_to),
        from_end_(settings.start == "end"),
        largest_(static_cast<uint64_t>(settings.largest)),
        clock_(context.clock),
        mails_(std::move(name), context) {}

  Result<Done> run(EventSink& sink, std::string_view position, std::stop_token stop) override;
  SourceStatus status() const override { return mails_.status(); }

 private:
  template <class Each>
  bool list(const std::string& folder, const Each& each) const;
  template <class Each>
  bool list_all(const Each& each);
  bool adopt_past();
  std::vector<Found> news();
  bool read_all(std::vector<Found> found, EventSink& sink, const std::stop_token& stop);
  std::optional<Arrival> read_one(const Found& one);
  void remember(const Found& one);
  std::string say_position();
  bool say_what_went(EventSink& sink, const std::stop_token& stop);
  void missed(const Found& one, int error);
  void forget_gone(const std::vector<Found>& found);
  bool may_go_on() const;
  void tell(std::string_view doing, uint64_t bytes_behind);
  void move_stored();

  std::string path_;
  MailMover mover_;
  bool from_end_;
  uint64_t largest_;
  const Clock& clock_;
  StoredMailReader mails_;
  std::optional<MaildirPast> past_;  // of an earlier run, until the folder was listed
  MaildirPlace place_;
  Time said_at_;                              // when the last position was sent
  std::unordered_map<uint64_t, int> missed_;  // names that could not be read, and how often
};

// Calls `each` with the folder's files: hash of the name without flags, hash of all of it, and
// path.
template <class Each>
bool Maildir::list(const std::string& folder, const Each& each) const {
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder.c_str()), &::closedir);
  if (!open) return false;
  errno = 0;
  while (const dirent* const entry = ::readdir(open.get())) {
    const std::string_view name = entry->d_name;
    if (!name.starts_with('.')) {
      std::string path = fmt::format("{}/{}", folder, name);
      const auto all = static_cast<uint32_t>(hash64(path));
      each(hash64(name.substr(0, name.find(':'))), all, std::move(path));
    }
    errno = 0;
  }
  return errno == 0;
}

// Both folders; false, with what is waited for, where one cannot be listed. `cur` may be absent.
template <class Each>
bool Maildir::list_all(const Each& each) {
  for (const std::string_view inside : {"/new", "/cur"}) {
    if (list(path_ + std::string(inside), each)) continue;
    if (inside == "/cur" && errno == ENOENT) continue;
    mails_.wait_for(path_ + std::string(inside), errno);
    return false;
  }
  return true;
}

// What an earlier run has read of what lies there now.
bool Maildir::adopt_past() {
  std::vector<PutMail> there;
  std::vector<uint32_t> entries;
  const bool listed = list_all([&](uint64_t name, uint32_t entry, const std::string& path) {
    struct stat seen{};
    if (::lstat(path.c_str(), &seen) != 0 || !S_ISREG(seen.st_mode)) return;
    there.push_back({ns_of(seen.st_ctim), name});
    entries.push_back(entry);
  });
  if (!listed) return false;
  const std::vector<bool> read = past_->read_among(there);
  size_t taken = 0;
  size_t again = 0;
  for (size_t i = 0; i < there.size(); ++i) {
    if (read[i]) place_.add(there[i], entries[i]);
    if (past_->is_before(there[i])) ++(read[i] ? taken : again);
  }
  if (again > 0) {
    log_info("ingest",
             "{}: {} of the mails in {} lie before the place of the last run and are not "
             "certainly those that it read: they are read",
             mails_.name(), again, path_);
  } else if (past_->of_an_earlier_version() && taken > 0) {
    log_info("ingest",
             "{}: {} mails in {} that lie before the place of an earlier version are "
             "taken for read",
             mails_.name(), taken, path_);
  }
  past_.reset();
  return true;
}

// What was not read yet, in the order in which it was put there.
std::vector<Found> Maildir::news() {
  std::vector<Found> found;
  if (past_ && !adopt_past()) return found;
  place_.begin_round();
  const bool listed = list_all([&](uint64_t name, uint32_t entry, std::string path) {
    if (place_.seen(name, entry)) return;
    struct stat seen{};
    if (::lstat(path.c_str(), &seen) != 0 || !S_ISREG(seen.st_mode)) return;
    const PutMail mail{ns_of(seen.st_ctim), name};
    if (place_.is_read(mail, entry) && !missed_.contains(name)) return;
    found.push_back({.mail = mail,
                     .entry = entry,
                     .path = std::move(path),
                     .size = static_cast<uint64_t>(seen.st_size),
                     .written = Time{std::chrono::seconds(seen.st_mtim.tv_sec)}});
  });
  // Of a folder that cannot be listed to its end nothing is known to have gone.
  if (!listed) return {};
  place_.end_round();
  forget_gone(found);
  uint64_t bytes = 0;
  for (const Found& one : found) bytes += one.size;
  tell("following", bytes);
  std::ranges::sort(found, {}, &Found::mail);
  return found;
}

void Maildir::tell(std::string_view doing, uint64_t bytes_behind) {
  std::string state = fmt::format("{} {}", doing, path_);
  if (place_.crowded()) {
    state += fmt::format("; more than {} mails lie there: old ones are taken for read",
                         MaildirPlace::kMostKnown);
  }
  if (!mover_.fault().empty()) state += fmt::format("; mails {}", mover_.fault());
  mails_.tell(std::move(state), mover_.fault().empty() && !place_.crowded(), bytes_behind);
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
  if (missed_.size() >= kMostMissed) missed_.clear();
  const auto [known, first] = missed_.try_emplace(one.mail.name, 0);
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
  for (const Found& one : found) there.insert(one.mail.name);
  std::erase_if(missed_, [&](const auto& one) { return !there.contains(one.first); });
}

// Whether a start from here misses nothing that was not read for a passing reason.
bool Maildir::may_go_on() const {
  return std::ranges::all_of(missed_, [](const auto& one) { return one.second >= kTries; });
}

void Maildir::remember(const Found& one) {
  place_.add(one.mail, one.entry);
  missed_.erase(one.mail.name);
}

std::string Maildir::say_position() {
  place_.told();
  said_at_ = clock_.now();
  return place_.text();
}

// Where mails were taken away: a start from the last position would not know the rest again.
bool Maildir::say_what_went(EventSink& sink, const std::stop_token& stop) {
  if (!place_.changed() || !may_go_on() || clock_.now() - said_at_ < kPositionLatest) return true;
  return sink.deliver_unless_stopped({.source = mails_.name(), .position = say_position()}, stop);
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
      if (mover_.is_wanted()) {
        arrival.settled = [move = mover_.when_stored(found[i].path)](const Result<Done>& done) {
          if (done) move();
        };
      }
    }
    // Of a round whose last mail was not read, too.
    if (due && place_.changed() && may_go_on()) arrival.position = say_position();
    if (!read && !arrival.position) continue;
    if (!sink.deliver_unless_stopped(std::move(arrival), stop)) return false;
    tell("reading", left);
    move_stored();
  }
  return say_what_went(sink, stop);
}

void Maildir::move_stored() {
  const std::string unmoved = mover_.move();
  if (unmoved.empty()) return;
  log_warning("ingest", "{}: {}: {}", mails_.name(), unmoved, mover_.fault());
  mails_.unreadable({Code::unavailable, mover_.fault(), unmoved});
}

Result<Done> Maildir::run(EventSink& sink, std::string_view position, std::stop_token stop) {
  place_ = MaildirPlace();
  past_.reset();
  missed_.clear();
  said_at_ = clock_.now();
  if (!position.empty()) {
    past_ = MaildirPast::parse(position);
    if (!past_) return fail(Code::corrupt, "is not a place in a Maildir", escaped(position, 200));
  }
  if (position.empty() && from_end_) {
    for (const Found& one : news()) remember(one);
    sink.deliver_unless_stopped({.source = mails_.name(), .position = say_position()}, stop);
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
