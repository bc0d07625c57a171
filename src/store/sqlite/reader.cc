#include "base/files.h"
#include "base/log.h"
#include "store/cursor.h"
#include "store/detector_state.h"
#include "store/sqlite/feedback_rows.h"
#include "store/sqlite/kept_mail_room.h"
#include "store/sqlite/partition_reader.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/state_reader.h"
#include "store/sqlite/suppression_rows.h"
#include "store/store.h"

#include <algorithm>
#include <list>
#include <memory>
#include <optional>
#include <ranges>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace watchpost::store {
namespace sqlite {
namespace {

constexpr size_t kOpenReaders = 16;
// Where Message-IDs are looked up: opening one takes longer than looking into it.
constexpr size_t kOpenForMessageIds = 64;
// Events held at one time by events_after().
constexpr uint64_t kWindow = 4096;

// The Message-ID that it asks for; null: it asks for none.
const std::string* message_id_in(const EventQuery& query) {
  const auto found = std::ranges::find_if(query.equal, [](const Stream::Part& part) {
    return part.dimension == Field::message_id && !part.value.empty();
  });
  return found == query.equal.end() ? nullptr : &found->value;
}

class SqliteReader final : public Reader {
 public:
  SqliteReader(const std::string& folder, StateReader state, const ReaderOptions& options)
      : folder_(folder), state_(std::move(state)) {
    if (options.for_message_ids > 0) ids_.emplace(options.for_message_ids);
  }

  Result<EventPage> events(const EventQuery& query) override;
  Result<std::vector<MessageVerdict>> verdicts(const VerdictQuery& query) override;
  Result<Done> events_after(uint64_t sequence,
                            const std::function<void(const Event&, uint64_t)>& each) override;
  Result<Done> events_between(Time since, Time until,
                              const std::function<bool(const Event&)>& each) override;
  Result<std::vector<EventId>> event_ids_since(Time since) override;

  Result<std::vector<Incident>> incidents() override { return state_.incidents(); }
  Result<std::vector<Decision>> decisions() override { return state_.decisions(); }
  Result<std::vector<ShadowDecision>> shadow_decisions(size_t limit) override {
    return state_.shadow_decisions(limit);
  }
  Result<std::vector<Enforcement>> enforcements() override { return state_.enforcements(); }
  Result<std::vector<Notice>> notices(size_t limit) override { return state_.notices(limit); }
  Result<std::vector<Fact>> facts(std::string_view prefix) override { return state_.facts(prefix); }
  Result<bool> knows(const EventId& lasting) override {
    return lasting_.has(state_.database(), lasting);
  }
  Result<std::vector<KeptMail>> kept_mail(size_t limit) override {
    return read_kept_mail(state_.database(), limit);
  }
  Result<std::optional<KeptMail>> kept_mail_of(uint64_t number) override {
    return read_kept_mail_of(state_.database(), number);
  }
  Result<RemovedKeptMail> removed_kept_mail() override {
    return sqlite::removed_kept_mail(state_.database());
  }
  Result<std::vector<Suppression>> suppressions_after(uint64_t change, size_t limit) override {
    return read_suppressions(state_.database(), change, limit);
  }
  Result<std::vector<Suppression>> suppressions(const SuppressionQuery& query) override {
    return find_suppressions(state_.database(), query);
  }
  Result<std::vector<Suppression>> suppression_history(const SuppressionQuery& query) override {
    return read_suppression_history(state_.database(), query);
  }
  Result<Done> each_suppression(
      const std::function<Result<Done>(const Suppression&)>& each) override {
    return sqlite::each_suppression(state_.database(), each);
  }
  Result<std::vector<AuditEntry>> audit(size_t limit) override { return state_.audit(limit); }
  Result<uint64_t> verify_audit() override { return state_.verify_audit(); }

  Result<std::optional<DetectorState>> detector_state() override {
    const std::string path = detector_state_path(folder_);
    const auto file = read_file(path);
    if (!file && file.error().code == Code::not_found) return std::nullopt;
    if (!file) return fail(file.error());
    auto state = decode_detector_state(*file);
    if (!state) return fail(state.error().code, state.error().what, path);
    return std::move(*state);
  }

 private:
  Result<PartitionReader*> reader_of(const PartitionEntry& entry);
  Result<std::optional<IdPlaces>> places_of(std::string_view id, const PartitionEntry& entry,
                                            uint64_t last_event);
  Result<Done> read_window(const StateReader::History& history, uint64_t after, uint64_t last,
                           const std::function<void(const Event&, uint64_t)>& each);

  const std::string folder_;
  StateReader state_;
  LastingIds lasting_;
  std::optional<MessageIds> ids_;
  std::set<Time> gone_;  // of partitions that are not there; each is said once
  struct Open {
    Time start;
    uint64_t first_sequence;  // a file of the same name may have been made anew
    PartitionReader reader;
  };
  std::list<Open> open_;  // used last first
};

// Nothing where the file is gone: it was past its time and dropped since the list was read, or
// somebody removed it, which the writer says when it opens.
Result<PartitionReader*> SqliteReader::reader_of(const PartitionEntry& entry) {
  const auto found = std::ranges::find_if(open_, [&](const Open& open) {
    return open.start == entry.start && open.first_sequence == entry.first_sequence;
  });
  if (found != open_.end()) {
    open_.splice(open_.begin(), open_, found);
    return &open_.front().reader;
  }
  auto reader = PartitionReader::open(partition_path(events_folder(folder_), entry.start));
  if (!reader && reader.error().code == Code::not_found) {
    if (gone_.insert(entry.start).second) {
      log_warning("store", "{} is not there", reader.error().about);
    }
    return nullptr;
  }
  if (!reader) return fail(reader.error());
  open_.remove_if([&](const Open& open) { return open.start == entry.start; });
  while (open_.size() >= (ids_ ? kOpenForMessageIds : kOpenReaders)) open_.pop_back();
  open_.push_front({entry.start, entry.first_sequence, std::move(*reader)});
  return &open_.front().reader;
}

// Where in a partition the Message-ID may be; nothing where that is not in memory.
Result<std::optional<IdPlaces>> SqliteReader::places_of(std::string_view id,
                                                        const PartitionEntry& entry,
                                                        uint64_t last_event) {
  PartitionIds& known = ids_->of(entry);
  if (!known.given_up() && !known.covers(entry)) {
    const auto reader = reader_of(entry);
    if (!reader) return fail(reader.error());
    if (*reader == nullptr) return IdPlaces{};
    const auto learned = (*reader)->learn(entry, last_event, known);
    if (!learned) return fail(learned.error());
    ids_->fit();
  }
  return known.places_of(id);
}

Result<EventPage> SqliteReader::events(const EventQuery& query) {
  Place before{Time::max(), kLastSequence};
  if (query.until) before = {*query.until, 0};
  if (!query.after.empty()) {
    const auto cursor = parse_cursor(query.after);
    if (!cursor) return fail(cursor.error());
    before = std::min(before, *cursor);
  }
  const auto history = state_.history();
  if (!history) return fail(history.error());
  const std::string* const id = ids_ ? message_id_in(query) : nullptr;
  if (id != nullptr) {
    ids_->keep_only(history->partitions);
    // A file that was dropped gives its space back when nobody has it open.
    open_.remove_if([&](const Open& open) { return !history->partitions.contains(open.start); });
  }
  EventPage page;
  Place last;
  for (const PartitionEntry& entry :
       history->partitions | std::views::values | std::views::reverse) {
    if (entry.first_at > before.at || (query.since && entry.last_at < *query.since)) continue;
    std::optional<IdPlaces> may_be;
    if (id != nullptr) {
      auto known = places_of(*id, entry, history->last_event);
      if (!known) return fail(known.error());
      if (*known && (*known)->empty()) continue;
      may_be = std::move(*known);
    }
    const auto reader = reader_of(entry);
    if (!reader) return fail(reader.error());
    if (*reader == nullptr) continue;
    // One more than fits says whether there is a next page.
    const size_t room = query.limit - page.events.size();
    const auto places = (*reader)->newest({.query = query,
                                           .before = before,
                                           .last_event = history->last_event,
                                           .want = room + 1,
                                           .places = may_be ? &*may_be : nullptr});
    if (!places) return fail(places.error());
    for (const Place& place : *places) {
      if (page.events.size() == query.limit) {
        if (query.limit > 0) page.next = cursor_text(last);
        return page;
      }
      const auto fetched = (*reader)->fetch(place.sequence, page.events);
      if (!fetched) return fail(fetched.error());
      last = place;
    }
  }
  return page;
}

Result<std::vector<MessageVerdict>> SqliteReader::verdicts(const VerdictQuery& query) {
  const EventQuery of_event{.since = query.since, .until = query.until, .equal = query.equal};
  Place before{Time::max(), kLastSequence};
  if (query.until) before = {*query.until, 0};
  const auto history = state_.history();
  if (!history) return fail(history.error());
  std::vector<MessageVerdict> found;
  size_t bytes = 0;
  for (const PartitionEntry& entry :
       history->partitions | std::views::values | std::views::reverse) {
    if (found.size() >= query.limit) break;
    if (entry.first_at > before.at || (query.since && entry.last_at < *query.since)) continue;
    const auto reader = reader_of(entry);
    if (!reader) return fail(reader.error());
    if (*reader == nullptr) continue;
    const auto places = (*reader)->newest({.query = of_event,
                                           .before = before,
                                           .last_event = history->last_event,
                                           .want = query.limit - found.size(),
                                           .with_verdict = true});
    if (!places) return fail(places.error());
    for (const Place& place : *places) {
      auto verdict = (*reader)->verdict(place.sequence);
      if (!verdict) return fail(verdict.error());
      bytes += verdict->json.size();
      if (bytes > query.bytes && !found.empty()) return found;
      found.push_back(std::move(*verdict));
    }
  }
  return found;
}

Result<Done> SqliteReader::events_after(uint64_t sequence,
                                        const std::function<void(const Event&, uint64_t)>& each) {
  const auto history = state_.history();
  if (!history) return fail(history.error());
  while (sequence < history->last_event) {
    // On to the next number that a partition may hold: where some were dropped there are gaps.
    uint64_t next = history->last_event + 1;
    for (const PartitionEntry& entry : history->partitions | std::views::values) {
      if (entry.last_sequence > sequence) {
        next = std::min(next, std::max(entry.first_sequence, sequence + 1));
      }
    }
    const uint64_t last = std::min(next + kWindow - 1, history->last_event);
    const auto read = read_window(*history, next - 1, last, each);
    if (!read) return read;
    sequence = last;
  }
  return Done{};
}

Result<Done> SqliteReader::read_window(const StateReader::History& history, uint64_t after,
                                       uint64_t last,
                                       const std::function<void(const Event&, uint64_t)>& each) {
  EventBatch events;
  std::vector<std::pair<uint64_t, size_t>> order;
  for (const PartitionEntry& entry : history.partitions | std::views::values) {
    if (entry.last_sequence <= after || entry.first_sequence > last) continue;
    const auto reader = reader_of(entry);
    if (!reader) return fail(reader.error());
    if (*reader == nullptr) continue;
    const auto read = (*reader)->scan(after, last, [&](const PartitionReader::Row& row) {
      order.emplace_back(row.sequence, events.size());
      events.copy(row.event);
    });
    if (!read) return read;
  }
  std::ranges::sort(order);
  for (const auto& [sequence, at] : order) each(events.events()[at], sequence);
  return Done{};
}

Result<Done> SqliteReader::events_between(Time since, Time until,
                                          const std::function<bool(const Event&)>& each) {
  const auto history = state_.history();
  if (!history) return fail(history.error());
  // Spans never overlap: partition after partition is the order of time.
  for (const PartitionEntry& entry : history->partitions | std::views::values) {
    if (entry.last_at < since || entry.first_at >= until) continue;
    const auto reader = reader_of(entry);
    if (!reader) return fail(reader.error());
    if (*reader == nullptr) continue;
    const auto go_on = (*reader)->in_time({since, until}, history->last_event, each);
    if (!go_on) return fail(go_on.error());
    if (!*go_on) break;
  }
  return Done{};
}

Result<std::vector<EventId>> SqliteReader::event_ids_since(Time since) {
  const auto history = state_.history();
  if (!history) return fail(history.error());
  std::vector<EventId> ids;
  for (const PartitionEntry& entry : history->partitions | std::views::values) {
    if (entry.last_at < since) continue;
    const auto reader = reader_of(entry);
    if (!reader) return fail(reader.error());
    if (*reader == nullptr) continue;
    const auto read = (*reader)->ids(since, history->last_event, ids);
    if (!read) return fail(read.error());
  }
  return ids;
}

Result<std::unique_ptr<Reader>> open_reader(const StoreSettings& settings,
                                            const ReaderOptions& options) {
  auto state = StateReader::open(state_path(settings.path));
  if (!state) return fail(state.error());
  return std::make_unique<SqliteReader>(settings.path, std::move(*state), options);
}

}  // namespace
}  // namespace sqlite

Result<std::unique_ptr<Reader>> Reader::open(const StoreSettings& settings,
                                             const ReaderOptions& options) {
  return sqlite::open_reader(settings, options);
}

}  // namespace watchpost::store
