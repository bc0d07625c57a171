#include "enforce/enforcers/postfix_access.h"

#include "base/log.h"
#include "base/text.h"
#include "enforce/following.h"
#include "enforce/retry.h"
#include "enforce/rounds.h"
#include "net/address.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <mutex>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace watchpost::enforce {
namespace {

constexpr size_t kBytesAtOnce = 1024 * 1024;

// A file that is to take the place of another one.
//   Owns: the descriptor, and the file until it is in place.
class NewFile {
 public:
  NewFile(const std::string& path, unsigned mode)
      : path_(path),
        aside_(path + ".new"),
        file_(::open(aside_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)) {
    if (file_ < 0) return;
    // Whoever may read the file that is there may read the one that takes its place. Only then the
    // mode: before, it would be another group's.
    struct stat there = {};
    if (::stat(path_.c_str(), &there) == 0) {
      (void)!::fchown(file_, static_cast<uid_t>(-1), there.st_gid);
    }
    mode_set_ = ::fchmod(file_, mode) == 0;
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile() {
    if (file_ < 0) return;
    ::close(file_);
    if (!placed_) ::unlink(aside_.c_str());
  }

  Result<Done> write(std::string_view bytes) {
    while (file_ >= 0 && !bytes.empty()) {
      const ssize_t count = ::write(file_, bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return failed();
      bytes.remove_prefix(static_cast<size_t>(count));
    }
    return file_ < 0 ? failed() : Result<Done>(Done{});
  }
  Result<Done> place() {
    if (file_ < 0 || !mode_set_ || ::fsync(file_) != 0) return failed();
    if (std::rename(aside_.c_str(), path_.c_str()) != 0) return failed();
    placed_ = true;
    return Done{};
  }

 private:
  Result<Done> failed() const {
    return fail(Code::unavailable, fmt::format("cannot be written: {}", std::strerror(errno)),
                aside_);
  }
  const std::string path_;
  const std::string aside_;
  int file_;
  bool mode_set_ = false;
  bool placed_ = false;
};

}  // namespace

struct PostfixAccess::Worker {
  Worker(std::string given_name, PostfixAccessSettings given, const EnforcerContext& given_context)
      : name(std::move(given_name)),
        settings(std::move(given)),
        context(given_context),
        following(name, context.metrics) {}

  Duration round();
  Result<Done> write(Time now);
  bool wanted(const Suppression& one) const {
    return one.customer.empty() || one.customer == settings.customer;
  }

  const std::string name;
  const PostfixAccessSettings settings;
  const EnforcerContext context;
  Following following;
  // The thread's own.
  std::unique_ptr<store::Reader> reader = nullptr;
  std::optional<uint64_t> written_up_to = std::nullopt;
  std::optional<Time> next_end = std::nullopt;  // of those written

  mutable std::mutex mutex = {};
  std::string last = "not written yet";
  std::optional<Rounds> rounds = std::nullopt;  // last: it uses what is above
};

Result<Done> PostfixAccess::Worker::write(Time now) {
  if (!reader) {
    auto opened = store::Reader::open(context.store);
    if (!opened) return fail(opened.error());
    reader = std::move(*opened);
  }
  const auto mode = net::parse_socket_mode(settings.mode);
  if (!mode) return fail(mode.error());
  NewFile file(settings.path, *mode);
  std::string text = fmt::format(
      "# Made by Watchpost from its suppressions; changes are lost.\n"
      "# For smtpd: check_recipient_access, in front of what permits.\n");
  // What changes while it is read is in the next one.
  const uint64_t up_to = context.suppressed->last_change();
  std::optional<Time> end;
  std::string last_recipient;
  size_t lines = 0, left_out = 0;
  const auto read = reader->each_suppression([&](const Suppression& one) -> Result<Done> {
    if (!wanted(one) || !one.holds(now)) return Done{};
    if (one.until) end = std::min(end.value_or(*one.until), *one.until);
    // Suppressed for several reasons, or for everybody's mail as well, it is one line.
    if (one.recipient == last_recipient) return Done{};
    last_recipient = one.recipient;
    const std::string line = suppress::access_line(one.recipient, settings.reply,
                                                   context.reply_tags->mark_of(one.recipient));
    line.empty() ? ++left_out : ++lines;
    if (!line.empty()) (text += line) += '\n';
    if (text.size() < kBytesAtOnce) return Done{};
    const auto done = file.write(text);
    text.clear();
    return done;
  });
  if (!read) return read;
  if (const auto done = file.write(text); !done) return done;
  if (const auto done = file.place(); !done) return done;
  written_up_to = up_to;
  next_end = end;
  const std::lock_guard lock(mutex);
  last =
      fmt::format("{} recipients written at {}{}", lines, format_time(now),
                  left_out == 0 ? "" : fmt::format("; {} that such a table cannot have", left_out));
  return Done{};
}

Duration PostfixAccess::Worker::round() {
  const Time now = context.clock.now();
  const bool fresh = written_up_to && context.suppressed->last_change() <= *written_up_to;
  if (fresh && (!next_end || now < *next_end)) {
    following.is_current(now);
    return std::min<Duration>(settings.every, 1s);
  }
  following.is_behind(changes_since(*context.suppressed, written_up_to.value_or(0)));
  const auto done = write(now);
  if (done) {
    following.done();
    return settings.every;
  }
  reader.reset();
  following.failed();
  log_warning("enforce", "{}: {}", name, done.error().text());
  const std::lock_guard lock(mutex);
  last = done.error().text();
  return pause_after(static_cast<uint32_t>(following.failures()), 0);
}

void PostfixAccessSettings::describe(SettingsVisitor& visit) {
  visit.setting({.name = "path",
                 .help = "the file to write; Watchpost must be able to write into its folder",
                 .required = true},
                &path);
  visit.setting({.name = "customer",
                 .help = "also those that hold for this customer only; empty: only those that "
                         "hold for everybody"},
                &customer);
  visit.setting({.name = "reply", .help = "as `suppression_reply` of postfix_policy"}, &reply);
  visit.setting(
      {.name = "every", .help = "it is written again at most so often", .least = 1, .most = 86'400},
      &every);
  visit.setting({.name = "mode", .help = "file mode; it has addresses in it"}, &mode);
}

Result<Done> PostfixAccessSettings::check() const {
  if (const auto fine = suppress::check_reply(reply); !fine) {
    return fail(Code::bad_input, fine.error().what, "reply");
  }
  if (const auto fine = net::parse_socket_mode(mode); !fine) {
    return fail(Code::bad_input, fine.error().what, "mode");
  }
  if (path.starts_with('/') && path.find('\0') == std::string::npos) return Done{};
  return fail(Code::bad_input, "it is not an absolute path", "path");
}

std::string PostfixAccessSettings::writes() const {
  return std::filesystem::path(path).lexically_normal().string();
}

PostfixAccess::PostfixAccess(std::string name, PostfixAccessSettings settings,
                             const EnforcerContext& context)
    : worker_(std::make_unique<Worker>(std::move(name), std::move(settings), context)) {
  if (context.suppressed != nullptr) {
    worker_->rounds.emplace([worker = worker_.get()] { return worker->round(); });
  }
}

PostfixAccess::~PostfixAccess() = default;

Result<Done> PostfixAccess::can(const Decision&) const {
  return fail(Code::refused, "it writes suppressions only");
}

std::string PostfixAccess::state() const {
  const std::lock_guard lock(worker_->mutex);
  return fmt::format("{}: {}", worker_->settings.path, worker_->last);
}

uint64_t PostfixAccess::failures() const { return worker_->following.failures(); }

const EnforcerKind kPostfixAccess{
    .name = "postfix_access",
    .summary = "writes suppressed recipients into an access table of Postfix",
    .hostile = false,
    .settings = []() -> std::unique_ptr<EnforcerKind::Settings> {
      return std::make_unique<PostfixAccessSettings>();
    },
    .make = [](std::string name, const EnforcerKind::Settings& settings,
               const EnforcerContext& context) -> Result<std::unique_ptr<Enforcer>> {
      const auto& own = dynamic_cast<const PostfixAccessSettings&>(settings);
      if (const auto fine = own.check(); !fine) return fail(fine.error());
      return std::make_unique<PostfixAccess>(std::move(name), own, context);
    },
};

}  // namespace watchpost::enforce
