#include "store/store.h"

#include "base/files.h"
#include "base/log.h"
#include "base/time.h"
#include "store/detector_state.h"
#include "store/files.h"
#include "store/sqlite/event_writer.h"
#include "store/sqlite/feedback_rows.h"
#include "store/sqlite/kept_mail_room.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/state_writer.h"

#include <chrono>
#include <filesystem>
#include <memory>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace watchpost::store {
namespace sqlite {
namespace {

// The WAL of state.db is given back when it came to be longer than this.
constexpr uintmax_t kLongWal = 8 << 20;
// SQLite cannot open a file without a few pages to spare: a start on a full disk has these.
constexpr size_t kReserve = 1 << 20;

// Kept mail that is removed so long after other is said again.
constexpr Duration kQuietRemoval = std::chrono::hours(1);

class Deadline {
 public:
  explicit Deadline(Duration budget) : end_(std::chrono::steady_clock::now() + budget) {}
  bool passed() const { return std::chrono::steady_clock::now() >= end_; }

 private:
  std::chrono::steady_clock::time_point end_;
};

class SqliteStore final : public Store {
 public:
  SqliteStore(const StoreSettings& settings, FolderLock lock, StateWriter state)
      : settings_(settings),
        lock_(std::move(lock)),
        state_(std::move(state)),
        events_(events_folder(settings.path), settings.partition) {}

  Result<Done> open_events() {
    auto catalog = load_catalog(state_.database());
    if (!catalog) return fail(catalog.error());
    return events_.open(std::move(*catalog), state_.last_event());
  }

  Result<Done> commit(const Commit& commit) override {
    const uint64_t last = state_.last_event();
    const auto written = events_.write(commit.events, commit.verdicts, last);
    if (!written) {
      events_.reject(last);
      return fail(written.error());
    }
    const auto done = state_.write(commit, last + commit.events.size(), *written);
    if (!done) {
      events_.reject(last);
      return done;
    }
    events_.accept(*written);
    kept_mail_grew_ = kept_mail_grew_ || !commit.kept_mail.empty();
    return done;
  }

  Result<Done> maintain(Time now, Duration budget) override {
    const Deadline deadline(budget);
    auto dropped = drop_old(now);
    if (dropped) dropped = drop_old_ids(state_.database(), now - settings_.keep);
    if (dropped && kept_mail_grew_) dropped = make_room_for_mail(now);
    if (!dropped) return dropped;
    kept_mail_grew_ = false;
    while (!deadline.passed()) {
      const auto more = events_.index_step(now);
      if (!more) return fail(more.error());
      if (!*more) break;
    }
    std::error_code none;
    const auto wal = std::filesystem::file_size(state_path(settings_.path) + "-wal", none);
    if (none || wal < kLongWal) return Done{};
    return state_.database().checkpoint(true);
  }

  Result<bool> knows(const EventId& lasting) override {
    return lasting_.has(state_.database(), lasting);
  }

  uint64_t last_event() const override { return state_.last_event(); }
  KeptMailRoom kept_mail_room() const override { return room_; }

  Result<Done> save_detector_state(std::string_view bytes, uint64_t sequence) override {
    return replace_file(detector_state_path(settings_.path),
                        encode_detector_state(bytes, sequence));
  }

 private:
  Result<Done> drop_old(Time now) {
    std::vector<Time> old;
    for (const auto& [start, entry] : events_.catalog()) {
      if (entry.until <= now - settings_.keep && entry.last_at < now - settings_.keep) {
        old.push_back(start);
      }
    }
    for (const Time start : old) {
      // The file first: on a full disk that is what makes room for the rest.
      const auto dropped = events_.remove_file(start);
      if (!dropped) return dropped;
      const auto removed = remove_partition(state_.database(), start);
      if (!removed) return removed;
      events_.forget(start);
    }
    return Done{};
  }

  Result<Done> make_room_for_mail(Time now) {
    const auto trimmed = trim_kept_mail(state_.database(), now);
    if (!trimmed) return fail(trimmed.error());
    room_.kept = trimmed->kept;
    if (trimmed->removed == 0 && room_known_) return Done{};
    auto removed = removed_kept_mail(state_.database());
    if (!removed) return fail(removed.error());
    room_.removed = *removed;
    room_known_ = true;
    if (trimmed->removed == 0) return Done{};
    // Said when it begins, not for each.
    if (now - removed_at_ > kQuietRemoval || now < removed_at_) {
      log_warning("store",
                  "there is too much mail that was not understood: the oldest of whoever sent most "
                  "is being removed, {} since {}",
                  removed->mails, format_time(removed->since.value_or(now)));
    }
    removed_at_ = now;
    return Done{};
  }

  const StoreSettings settings_;
  const FolderLock lock_;
  StateWriter state_;
  LastingIds lasting_;
  bool kept_mail_grew_ = true;  // since it was trimmed
  KeptMailRoom room_;
  bool room_known_ = false;
  Time removed_at_;  // when kept mail was removed last
  EventWriter events_;
};

// A state.db that is gone while history is there: going on would take the history for leftovers.
Result<Done> refuse_orphaned_history(const std::string& folder) {
  std::error_code error;
  if (std::filesystem::exists(state_path(folder))) return Done{};
  for (const auto& file : std::filesystem::directory_iterator(events_folder(folder), error)) {
    if (file.path().extension() != ".db") continue;
    return fail(Code::corrupt,
                "state.db is missing while there is event history; restore it from a backup, or "
                "move the events folder away to begin anew",
                state_path(folder));
  }
  return Done{};
}

Result<std::unique_ptr<Store>> open_store(const StoreSettings& settings) {
  if (settings.partition < std::chrono::minutes(1) || settings.keep <= Duration{0}) {
    return fail(Code::bad_input, "`partition` is at least 1m, and `keep` more than 0s", "[store]");
  }
  for (const std::string& folder : {settings.path, events_folder(settings.path)}) {
    const auto made = make_folder(folder);
    if (!made) return fail(made.error());
  }
  auto lock = FolderLock::take(lock_path(settings.path));
  if (!lock) return fail(lock.error());
  const auto whole = refuse_orphaned_history(settings.path);
  if (!whole) return fail(whole.error());
  const std::string reserve = settings.path + "/reserve";
  ::unlink(reserve.c_str());
  auto state = StateWriter::open(state_path(settings.path));
  if (!state) return fail(state.error());
  auto store = std::make_unique<SqliteStore>(settings, std::move(*lock), std::move(*state));
  const auto opened = store->open_events();
  if (!opened) return fail(opened.error());
  keep_reserve(reserve, kReserve);
  return store;
}

}  // namespace
}  // namespace sqlite

Result<std::unique_ptr<Store>> Store::open(const StoreSettings& settings) {
  return sqlite::open_store(settings);
}

}  // namespace watchpost::store
