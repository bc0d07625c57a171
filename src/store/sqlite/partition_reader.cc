#include "store/sqlite/partition_reader.h"

#include "store/event_row.h"
#include "store/sqlite/schema.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace watchpost::store::sqlite {
namespace {

// Entries looked at in one go: many enough for long runs of misses, few enough for first pages.
constexpr size_t kRound = 512;

constexpr auto newer = [](const Place& a, const Place& b) { return a > b; };

// An event from the columns at, kind and body, which stand from `column` on.
Result<Event> event_in(const Statement& row, int column) {
  Event event;
  event.at = Time(Duration(row.number(column)));
  const auto kind = event_kind_of(row.number(column + 1));
  if (!kind) return fail(kind.error());
  event.kind = *kind;
  const auto decoded = decode_event(row.bytes(column + 2), event);
  if (!decoded) return fail(decoded.error());
  return event;
}

bool holds(const EventQuery& query, const Event& event) {
  if (query.kind && event.kind != *query.kind) return false;
  for (const Stream::Part& part : query.equal) {
    if (event[part.dimension] != part.value) return false;
  }
  return !query.where || query.where(event);
}

// The part of a query that the index answers best: the first searchable field it asks for.
uint64_t best_key(const EventQuery& query) {
  for (const Field field : searchable_fields()) {
    for (const Stream::Part& part : query.equal) {
      if (part.dimension == field && !part.value.empty()) return search_key(field, part.value);
    }
  }
  return query.kind ? search_key(*query.kind) : kEveryRow;
}

}  // namespace

std::unexpected<Error> PartitionReader::damaged(Error error, uint64_t sequence) const {
  error.about = fmt::format("{} event {}", database_.path(), sequence);
  return fail(std::move(error));
}

Result<PartitionReader> PartitionReader::open(const std::string& path) {
  auto database = Database::open(path, Database::Access::reader);
  if (!database) return fail(database.error());
  const auto checked = check_partition(*database);
  if (!checked) return fail(checked.error());
  auto row = database->prepare("SELECT at, kind, body FROM events WHERE sequence = ?");
  if (!row) return fail(row.error());
  auto rows = database->prepare(
      "SELECT sequence, at, kind, body FROM events WHERE sequence > ? AND sequence <= ? "
      "ORDER BY sequence");
  if (!rows) return fail(rows.error());
  auto blocks = database->prepare(
      "SELECT block FROM entries WHERE run = ? AND (key, age, back) > (?, ?, ?) "
      "ORDER BY key, age, back");
  if (!blocks) return fail(blocks.error());
  PartitionReader reader;
  reader.database_ = std::move(*database);
  reader.row_ = std::move(*row);
  reader.rows_ = std::move(*rows);
  reader.blocks_ = std::move(*blocks);
  return reader;
}

Result<std::vector<Place>> PartitionReader::newest(const PartitionSearch& search) {
  // Runs and the rows behind them have to be of one moment.
  auto moment = Transaction::begin(database_, false);
  if (!moment) return fail(moment.error());
  std::vector<Place> found;
  if (search.with_verdict) {
    const auto any = prepare_verdicts();
    if (!any) return fail(any.error());
    if (!*any) return found;
  }
  const auto tail =
      search.places == nullptr ? search_tail(search, found) : search_rows(search, found);
  if (!tail) return fail(tail.error());
  const auto indexed = search_runs(search, found);
  if (!indexed) return fail(indexed.error());
  std::ranges::sort(found, newer);
  if (found.size() > search.want) found.resize(search.want);
  return found;
}

// The rows that are known to be worth a look.
Result<Done> PartitionReader::search_rows(const PartitionSearch& search,
                                          std::vector<Place>& found) {
  for (const uint64_t sequence : search.places->rows) {
    if (sequence > search.last_event) break;
    const auto place = match(sequence, search);
    if (!place) return fail(place.error());
    if (!*place || **place >= search.before) continue;
    if (search.query.since && (*place)->at < *search.query.since) continue;
    found.push_back(**place);
  }
  return Done{};
}

// The rows that are not indexed yet: each is looked at, the newest matches are kept.
Result<Done> PartitionReader::search_tail(const PartitionSearch& search,
                                          std::vector<Place>& found) {
  const auto indexed = database_.number("SELECT max(last_sequence) FROM runs");
  if (!indexed) return fail(indexed.error());
  const Time since = search.query.since.value_or(Time::min());
  std::optional<Error> refused;
  const auto scanned =
      scan(static_cast<uint64_t>(*indexed), search.last_event, [&](const Row& row) {
        const Place place{row.event.at, row.sequence};
        if (place >= search.before || place.at < since) return;
        const bool full = found.size() == search.want;
        if (full && place < found.front()) return;
        if (!holds(search.query, row.event)) return;
        if (search.with_verdict) {
          const auto has = has_verdict(row.sequence);
          if (!has) refused = has.error();
          if (!has || !*has) return;
        }
        // A heap with the oldest of those kept in front.
        if (full) {
          std::ranges::pop_heap(found, newer);
          found.back() = place;
        } else {
          found.push_back(place);
        }
        std::ranges::push_heap(found, newer);
      });
  if (refused) return fail(*refused);
  return scanned;
}

Result<Done> PartitionReader::search_runs(const PartitionSearch& search,
                                          std::vector<Place>& found) {
  const auto all = runs(search);
  if (!all) return fail(all.error());
  const Time since = search.query.since.value_or(Time::min());
  const uint64_t key = best_key(search.query);
  Place before = search.before;
  size_t matched = 0;
  while (matched < search.want) {
    std::vector<Place> round;
    for (const Run& run : *all) {
      if (run.last_at < since || run.first_at > before.at) continue;
      // All of this run, and of those after it, is older than what the round has.
      if (round.size() == kRound && run.last_at < round.back().at) break;
      const auto added = candidates(run, SearchEntry::of(key, before), kRound, round);
      if (!added) return added;
      std::ranges::sort(round, newer);
      if (round.size() > kRound) round.resize(kRound);
    }
    for (const Place& place : round) {
      if (place.at < since) return Done{};
      if (place.sequence > search.last_event) continue;
      const auto matches = match(place.sequence, search);
      if (!matches) return fail(matches.error());
      if (!*matches) continue;
      found.push_back(place);
      if (++matched == search.want) return Done{};
    }
    if (round.size() < kRound) return Done{};
    before = round.back();
  }
  return Done{};
}

Result<std::vector<PartitionReader::Run>> PartitionReader::runs(const PartitionSearch& search) {
  auto query =
      database_.prepare("SELECT number, first_at, last_at FROM runs ORDER BY last_at DESC");
  if (!query) return fail(query.error());
  std::vector<Run> runs;
  while (true) {
    const auto more = query->row();
    if (!more) return fail(more.error());
    if (!*more) return runs;
    const uint64_t number = query->unsigned_number(0);
    const auto* const wanted = search.places;
    if (wanted != nullptr && !std::ranges::binary_search(wanted->runs, number)) continue;
    runs.push_back({number, Time(Duration(query->number(1))), Time(Duration(query->number(2)))});
  }
}

// Adds the first entries of the same key behind `after`.
Result<Done> PartitionReader::candidates(const Run& run, const SearchEntry& after, size_t most,
                                         std::vector<Place>& found) {
  blocks_.bind(run.number).bind(after.key).bind(after.age).bind(after.back);
  size_t added = 0;
  while (added < most) {
    const auto more = blocks_.row();
    if (!more) return fail(more.error());
    if (!*more) return Done{};
    const auto entries = unpack(blocks_.bytes(0));
    if (!entries) {
      blocks_.reset();
      return fail(entries.error().code, entries.error().what, database_.path());
    }
    for (auto entry = std::ranges::upper_bound(*entries, after); entry != entries->end(); ++entry) {
      if (entry->key != after.key || added == most) {
        blocks_.reset();
        return Done{};
      }
      found.push_back(entry->place());
      ++added;
    }
  }
  blocks_.reset();
  return Done{};
}

Result<std::optional<Place>> PartitionReader::match(uint64_t sequence,
                                                    const PartitionSearch& search) {
  if (search.with_verdict) {  // first: few events have one, and the others need not be read
    const auto has = has_verdict(sequence);
    if (!has) return fail(has.error());
    if (!*has) return std::nullopt;
  }
  row_.bind(sequence);
  const auto there = row_.row();
  if (!there) return fail(there.error());
  if (!*there) {
    return damaged({Code::corrupt, "an indexed event is not there", {}}, sequence);
  }
  const auto event = event_in(row_, 0);
  std::optional<Place> place;
  if (event && holds(search.query, *event)) place = {event->at, sequence};
  row_.reset();
  if (!event) return damaged(event.error(), sequence);
  return place;
}

Result<bool> PartitionReader::prepare_verdicts() {
  if (!verdicts_ready_) {
    const auto there = has_verdicts(database_);
    if (!there || !*there) return there;
    auto one = database_.prepare("SELECT 1 FROM verdicts WHERE sequence = ?");
    if (!one) return fail(one.error());
    auto whole = database_.prepare(
        "SELECT e.at, e.body, v.size, v.body FROM events e JOIN verdicts v USING(sequence) "
        "WHERE sequence = ?");
    if (!whole) return fail(whole.error());
    verdict_there_ = std::move(*one);
    verdict_ = std::move(*whole);
    verdicts_ready_ = true;
  }
  const auto any = database_.number("SELECT EXISTS(SELECT 1 FROM verdicts)");
  if (!any) return fail(any.error());
  return *any != 0;
}

Result<bool> PartitionReader::has_verdict(uint64_t sequence) {
  const auto there = verdict_there_.bind(sequence).row();
  verdict_there_.reset();
  return there;
}

Result<MessageVerdict> PartitionReader::verdict(uint64_t sequence) {
  const auto there = verdict_.bind(sequence).row();
  if (!there) return fail(there.error());
  if (!*there) return damaged({Code::corrupt, "a stored verdict is gone", {}}, sequence);
  Event event;
  const auto decoded = decode_event(verdict_.bytes(1), event);
  auto json = unpack_verdict(verdict_.bytes(3), verdict_.unsigned_number(2));
  MessageVerdict found{event.id,
                       Time(Duration(verdict_.number(0))),
                       std::string(event[Field::queue_id]),
                       std::string(event[Field::message_id]),
                       {}};
  verdict_.reset();
  if (!decoded) return damaged(decoded.error(), sequence);
  if (!json) return damaged(json.error(), sequence);
  found.json = std::move(*json);
  return found;
}

Result<Done> PartitionReader::fetch(uint64_t sequence, EventBatch& into) {
  row_.bind(sequence);
  const auto there = row_.row();
  if (!there) return fail(there.error());
  if (!*there) return damaged({Code::corrupt, "a stored event is gone", {}}, sequence);
  const auto event = event_in(row_, 0);
  if (event) into.copy(*event);
  row_.reset();
  if (!event) return damaged(event.error(), sequence);
  return Done{};
}

Result<Done> PartitionReader::scan(uint64_t after, uint64_t last,
                                   const std::function<void(const Row&)>& each) {
  rows_.bind(after).bind(last);
  while (true) {
    const auto more = rows_.row();
    if (!more) return fail(more.error());
    if (!*more) return Done{};
    const uint64_t sequence = rows_.unsigned_number(0);
    auto event = event_in(rows_, 1);
    if (!event) {
      rows_.reset();
      return damaged(event.error(), sequence);
    }
    each({sequence, *event});
  }
}

Result<bool> PartitionReader::in_time(const std::pair<Time, Time>& span, uint64_t last_event,
                                      const std::function<bool(const Event&)>& each) {
  auto places = database_.prepare(
      "SELECT sequence FROM events WHERE at >= ? AND at < ? AND sequence <= ? "
      "ORDER BY at, sequence");
  if (!places) return fail(places.error());
  places->bind(int64_t{span.first.time_since_epoch().count()})
      .bind(int64_t{span.second.time_since_epoch().count()})
      .bind(last_event);
  while (true) {
    const auto more = places->row();
    if (!more) return fail(more.error());
    if (!*more) return true;
    const uint64_t sequence = places->unsigned_number(0);
    row_.bind(sequence);
    const auto there = row_.row();
    if (!there) return fail(there.error());
    if (!*there) return damaged({Code::corrupt, "a stored event is gone", {}}, sequence);
    const auto event = event_in(row_, 0);
    const bool go_on = event && each(*event);
    row_.reset();
    if (!event) return damaged(event.error(), sequence);
    if (!go_on) return false;
  }
}

Result<Done> PartitionReader::ids(Time since, uint64_t last, std::vector<EventId>& into) {
  rows_.bind(uint64_t{0}).bind(last);
  while (true) {
    const auto more = rows_.row();
    if (!more) return fail(more.error());
    if (!*more) return Done{};
    if (Time(Duration(rows_.number(1))) < since) continue;
    const auto id = event_id_of(rows_.bytes(3));
    if (!id) {
      const uint64_t sequence = rows_.unsigned_number(0);
      rows_.reset();
      return damaged(id.error(), sequence);
    }
    into.push_back(*id);
  }
}

}  // namespace watchpost::store::sqlite
