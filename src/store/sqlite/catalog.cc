#include "store/sqlite/catalog.h"

#include <algorithm>
#include <chrono>
#include <iterator>

#include <fmt/format.h>

namespace watchpost::store::sqlite {
namespace {

int64_t count_of(Time at) { return at.time_since_epoch().count(); }
Time time_of(int64_t count) { return Time(Duration(count)); }

// File names have four digits for the year; what is outside goes to the partition at the edge.
constexpr Time kFirst{};
constexpr Time kLast = std::chrono::sys_days(std::chrono::year(9998) / 12 / 31);

}  // namespace

std::string partition_path(std::string_view events_folder, Time start) {
  const auto day = std::chrono::floor<std::chrono::days>(start);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(start - day));
  return fmt::format("{}/{:04}{:02}{:02}T{:02}{:02}{:02}Z.db", events_folder,
                     static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}

PartitionEntry partition_for(const Catalog& catalog, Time at, Duration span) {
  const Time when = std::clamp(at, kFirst, kLast);
  const auto after = catalog.upper_bound(when);
  if (after != catalog.begin()) {
    const PartitionEntry& before = std::prev(after)->second;
    if (when < before.until) return before;
  }
  PartitionEntry made;
  made.start = Time(Duration(count_of(when) / span.count() * span.count()));
  made.until = made.start + span;
  // Where the configured span was another one before, the new partition fits in between.
  if (after != catalog.begin()) made.start = std::max(made.start, std::prev(after)->second.until);
  if (after != catalog.end()) made.until = std::min(made.until, after->second.start);
  made.first_at = Time::max();
  made.last_at = Time::min();
  return made;
}

Result<Catalog> load_catalog(Database& state) {
  auto query = state.prepare(
      "SELECT start, until, first_at, last_at, first_sequence, last_sequence, events "
      "FROM partitions ORDER BY start");
  if (!query) return fail(query.error());
  Catalog catalog;
  while (true) {
    const auto more = query->row();
    if (!more) return fail(more.error());
    if (!*more) return catalog;
    PartitionEntry entry;
    entry.start = time_of(query->number(0));
    entry.until = time_of(query->number(1));
    entry.first_at = time_of(query->number(2));
    entry.last_at = time_of(query->number(3));
    entry.first_sequence = query->unsigned_number(4);
    entry.last_sequence = query->unsigned_number(5);
    entry.events = query->unsigned_number(6);
    catalog.emplace_hint(catalog.end(), entry.start, entry);
  }
}

Result<Done> store_partition(Database& state, const PartitionEntry& entry) {
  auto insert = state.prepare("INSERT OR REPLACE INTO partitions VALUES(?, ?, ?, ?, ?, ?, ?)");
  if (!insert) return fail(insert.error());
  return insert->bind(count_of(entry.start))
      .bind(count_of(entry.until))
      .bind(count_of(entry.first_at))
      .bind(count_of(entry.last_at))
      .bind(entry.first_sequence)
      .bind(entry.last_sequence)
      .bind(entry.events)
      .run();
}

Result<Done> remove_partition(Database& state, Time start) {
  auto remove = state.prepare("DELETE FROM partitions WHERE start = ?");
  if (!remove) return fail(remove.error());
  return remove->bind(count_of(start)).run();
}

}  // namespace watchpost::store::sqlite
