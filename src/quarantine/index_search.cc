#include "quarantine/index_search.h"

#include "base/log.h"
#include "quarantine/held_code.h"
#include "quarantine/terms.h"
#include "store/cursor.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace watchpost::quarantine {
namespace {

using store::Place;
using store::sqlite::Database;
using store::sqlite::Statement;
using store::sqlite::Transaction;

constexpr size_t kLongestPage = 1000;

// What leads to candidates: where `at` and the message's number stand, and a condition. CROSS: it
// leads, whatever SQLite thinks of it.
struct Lead {
  std::string from;
  std::string at;
  std::string number;
  std::string condition;
};

Lead lead_of(const HeldSearch& search, uint64_t seed) {
  const uint64_t term = term_of(search, seed);
  if (term != 0) {
    return {"terms l CROSS JOIN messages m ON m.number = l.message", "l.at", "l.message",
            fmt::format("l.term = {}", static_cast<int64_t>(term))};
  }
  const auto of_copies = [](std::string condition) {
    return Lead{"copies l CROSS JOIN messages m ON m.number = l.message", "l.at", "l.message",
                std::move(condition)};
  };
  if (search.requested && !search.all) {
    return of_copies("l.requested IS NOT NULL AND l.state <= 2");
  }
  if (search.state && *search.state != CopyState::held) {
    return of_copies(fmt::format("l.state > 0 AND l.state = {}", static_cast<int>(*search.state)));
  }
  return {"messages m", "m.at", "m.number", search.all ? "1" : "m.open > 0"};
}

// Whether a row may be one, by its bytes: what is looked for stands in them as it is. Most rows of
// a long search end here.
bool may_match(const HeldSearch& search, std::string_view body) {
  return contains_nocase(body, search.subject) && contains_nocase(body, search.reason);
}

bool copies_match(const HeldSearch& search, const HeldMessage& message) {
  return std::ranges::any_of(message.copies,
                             [&](const Copy& copy) { return matches(search, copy); });
}

}  // namespace

Result<IndexReader> IndexReader::open(const std::string& path, uint64_t seed) {
  auto database = Database::open(path, Database::Access::reader);
  if (!database) return fail(database.error());
  auto rows = IndexRows::over(*database);
  if (!rows) return fail(rows.error());
  IndexReader reader;
  reader.database_ = std::move(*database);
  reader.rows_ = std::move(*rows);
  reader.seed_ = seed;
  return reader;
}

Result<Statement> IndexReader::candidates(const HeldSearch& search) {
  Place before{Time::max(), store::kLastSequence};
  if (search.until) before = {*search.until, 0};
  if (!search.after.empty()) {
    const auto cursor = store::parse_cursor(search.after);
    if (!cursor) return fail(cursor.error());
    before = std::min(before, *cursor);
  }
  const Lead lead = lead_of(search, seed_);
  auto rows = database_.prepare(
      fmt::format("SELECT {1}, {2}, m.body FROM {0} WHERE {3} AND ({1}, {2}) < (?, ?) AND {1} >= ? "
                  "ORDER BY {1} DESC, {2} DESC",
                  lead.from, lead.at, lead.number, lead.condition));
  if (!rows) return rows;
  rows->bind(number_of(before.at))
      .bind(before.sequence)
      .bind(search.since ? number_of(*search.since) : INT64_MIN);
  return rows;
}

Result<HeldPage> IndexReader::page(const HeldSearch& search, size_t most_found,
                                   const std::function<void(HeldRow&)>& each) {
  HeldPage page;
  // One moment for all that it reads.
  auto still = Transaction::begin(database_, false);
  if (!still) return fail(still.error());
  auto rows = candidates(search);
  if (!rows) return fail(rows.error());
  size_t looked_at = 0;
  size_t found = 0;
  Place last;
  while (true) {
    const auto there = rows->row();
    if (!there) return fail(there.error());
    if (!*there) return page;
    const Place place{time_from(rows->number(0)), rows->unsigned_number(1)};
    // A message with several copies is met for each, one after the other.
    if (place == last) continue;
    if (found == most_found || looked_at == kMostLookedAt) break;
    last = place;
    ++looked_at;
    if (!may_match(search, rows->bytes(2))) continue;
    const auto message = decode_message(rows->bytes(2));
    if (message && !matches(search, *message)) continue;
    auto row = rows_.at(place.sequence);
    if (!row && row.error().code != Code::corrupt) return fail(row.error());
    if (!row) log_warning("quarantine", "left out of a list: {}", row.error().text());
    if (!row || !*row || !copies_match(search, (*row)->message)) continue;
    ++found;
    each(**row);
  }
  rows->reset();
  page.next = store::cursor_text(last);
  return page;
}

Result<HeldPage> IndexReader::list(const HeldSearch& search) {
  std::vector<HeldMessage> messages;
  auto found = page(search, std::clamp<size_t>(search.limit, 1, kLongestPage),
                    [&](HeldRow& row) { messages.push_back(std::move(row.message)); });
  if (found) found->messages = std::move(messages);
  return found;
}

Result<Done> IndexReader::each(const HeldSearch& search,
                               const std::function<void(const HeldRow&)>& each) {
  HeldSearch rest = search;
  while (true) {
    const auto found = page(rest, kLongestPage, each);
    if (!found) return fail(found.error());
    if (found->next.empty()) return Done{};
    rest.after = found->next;
  }
}

Result<std::vector<Due>> IndexReader::due(Time now, size_t most) {
  auto still = Transaction::begin(database_, false);
  if (!still) return fail(still.error());
  auto rows = database_.prepare(
      "SELECT message, place FROM copies WHERE state = 1 AND release_at <= ? "
      "ORDER BY release_at, message, place");
  if (!rows) return fail(rows.error());
  rows->bind(number_of(now));
  std::map<uint64_t, size_t> places;  // of messages among those found
  std::vector<Due> found;
  while (true) {
    const auto there = rows->row();
    if (!there) return fail(there.error());
    if (!*there) return found;
    const uint64_t number = rows->unsigned_number(0);
    const auto known = places.find(number);
    if (known == places.end() && found.size() == most) break;
    auto row = rows_.at(number);
    if (!row && row.error().code == Code::corrupt) continue;  // the others do not wait for it
    if (!row) return fail(row.error());
    const size_t place = rows->unsigned_number(1);
    if (!*row || place >= (*row)->message.copies.size()) continue;
    Copy copy = std::move((*row)->message.copies[place]);
    if (known == places.end()) {
      places.emplace(number, found.size());
      (*row)->message.copies.clear();
      found.push_back({std::move((*row)->message)});
      found.back().message.copies.push_back(std::move(copy));
    } else {
      found[known->second].message.copies.push_back(std::move(copy));
    }
  }
  rows->reset();
  return found;
}

Result<std::vector<Exception>> IndexReader::exceptions(Time now) {
  auto rows = database_.prepare(
      "SELECT name, condition, until, who, why FROM exceptions WHERE until > ? ORDER BY name");
  if (!rows) return fail(rows.error());
  rows->bind(number_of(now));
  std::vector<Exception> found;
  while (true) {
    const auto there = rows->row();
    if (!there) return fail(there.error());
    if (!*there) return found;
    found.push_back({.name = std::string(rows->bytes(0)),
                     .when = std::string(rows->bytes(1)),
                     .until = time_from(rows->number(2)),
                     .by = std::string(rows->bytes(3)),
                     .why = std::string(rows->bytes(4))});
  }
}

Result<std::vector<uint64_t>> IndexReader::sealed_by_others(uint64_t key, uint64_t after,
                                                            size_t most) {
  auto rows = database_.prepare(
      "SELECT number FROM messages WHERE key > 0 AND key <> ? AND number > ? "
      "ORDER BY number LIMIT ?");
  if (!rows) return fail(rows.error());
  rows->bind(key).bind(after).bind(uint64_t{most});
  std::vector<uint64_t> found;
  while (true) {
    const auto there = rows->row();
    if (!there) return fail(there.error());
    if (!*there) return found;
    found.push_back(rows->unsigned_number(0));
  }
}

}  // namespace watchpost::quarantine
