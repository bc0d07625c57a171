#include "quarantine/changes.h"

#include "base/ascii.h"
#include "base/text.h"
#include "quarantine/terms.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace watchpost::quarantine {
namespace {

std::unexpected<Error> no_message() { return fail(Code::not_found, "no such message is held"); }

std::unexpected<Error> no_copy(std::string_view recipient) {
  return fail(Code::not_found,
              fmt::format("no copy of it is held for {}", escaped(recipient, 200)));
}

// Why a copy can neither be released nor discarded.
std::string_view why_not(CopyState state) {
  switch (state) {
    case CopyState::leaving: return "is on its way";
    case CopyState::released: return "was released";
    case CopyState::discarded: return "was discarded";
    case CopyState::expired: return "was discarded at the end of its time";
    case CopyState::held:
    case CopyState::due: break;
  }
  return "is held";
}

std::unexpected<Error> not_possible(const Copy& copy) {
  return fail(Code::refused,
              fmt::format("the copy for {} {}", escaped(copy.recipient, 200), why_not(copy.state)));
}

bool is_here(CopyState state) { return state == CopyState::held || state == CopyState::due; }

Result<HeldRow> row_of(Index& index, const HeldId& id) {
  auto row = index.rows().find(id);
  if (!row) return fail(row.error());
  if (!*row) return no_message();
  return std::move(**row);
}

// The places of those that are meant, all of them held or due; else why one is not.
Result<std::vector<size_t>> meant(const HeldRow& row, std::span<const std::string> recipients) {
  const std::vector<Copy>& copies = row.message.copies;
  std::vector<size_t> places;
  for (size_t place = 0; place < copies.size(); ++place) {
    const Copy& copy = copies[place];
    const bool named = std::ranges::any_of(
        recipients, [&](const std::string& one) { return equal_nocase(one, copy.recipient); });
    if (named && !is_here(copy.state)) return not_possible(copy);
    if (named || (recipients.empty() && is_here(copy.state))) places.push_back(place);
  }
  for (const std::string& one : recipients) {
    if (std::ranges::none_of(copies,
                             [&](const Copy& copy) { return equal_nocase(one, copy.recipient); })) {
      return no_copy(one);
    }
  }
  if (places.empty()) return copies.empty() ? no_message() : not_possible(copies.front());
  return places;
}

Copy changed(const Copy& copy, CopyState state, std::string_view by, Time now) {
  Copy made = copy;
  made.state = state;
  made.by = by;
  made.changed = now;
  made.note.clear();
  return made;
}

// False: it goes out no later than that anyhow.
Result<bool> make_due(Index& index, HeldRow& row, size_t place, const ReleaseOrder& order, Time at,
                      Time now) {
  const Copy& there = row.message.copies[place];
  const bool was_due = there.state == CopyState::due;
  Copy copy = changed(there, CopyState::due, order.by, now);
  copy.release_at = was_due ? std::min(there.release_at, at) : at;
  copy.paced = was_due ? there.paced && order.paced : order.paced;
  if (was_due && copy.release_at == there.release_at && copy.paced == there.paced) return false;
  const auto put = index.change(row, place, std::move(copy));
  if (!put) return fail(put.error());
  return true;
}

Time start_of(const ReleaseOrder& order, Time now) { return order.at == Time{} ? now : order.at; }

// Calls `change` for each copy that is still there; copies of one message come together.
template <class ChangeOne>
Result<size_t> each_found(Index& index, std::span<const FoundCopy> found, const ChangeOne& change) {
  size_t count = 0;
  std::optional<HeldRow> row;
  for (const FoundCopy& one : found) {
    if (!row || row->number != one.message) {
      auto there = index.rows().at(one.message);
      if (!there) return fail(there.error());
      row = std::move(*there);
    }
    if (!row || one.place >= row->message.copies.size()) continue;
    const Result<bool> done = change(*row, one);
    if (!done) return fail(done.error());
    if (*done) ++count;
  }
  return count;
}

}  // namespace

Result<size_t> release(Index& index, const HeldId& id, std::span<const std::string> recipients,
                       const ReleaseOrder& order, Time now) {
  auto row = row_of(index, id);
  if (!row) return fail(row.error());
  const auto places = meant(*row, recipients);
  if (!places) return fail(places.error());
  size_t count = 0;
  for (const size_t place : *places) {
    const auto done = make_due(index, *row, place, order, start_of(order, now), now);
    if (!done) return fail(done.error());
    if (*done) ++count;
  }
  return count;
}

Result<size_t> discard(Index& index, const HeldId& id, std::span<const std::string> recipients,
                       std::string_view by, Time now) {
  auto row = row_of(index, id);
  if (!row) return fail(row.error());
  const auto places = meant(*row, recipients);
  if (!places) return fail(places.error());
  for (const size_t place : *places) {
    const auto put = index.change(
        *row, place, changed(row->message.copies[place], CopyState::discarded, by, now));
    if (!put) return fail(put.error());
  }
  return places->size();
}

Result<Done> extend(Index& index, const HeldId& id, Time until) {
  auto row = row_of(index, id);
  if (!row) return fail(row.error());
  if (row->key == 0) return fail(Code::refused, "nothing of it is held any more");
  return index.set_until(*row, until);
}

Result<bool> request(Index& index, const HeldId& id, std::string_view recipient, Time now) {
  auto row = row_of(index, id);
  if (!row) return fail(row.error());
  const auto copy = std::ranges::find_if(
      row->message.copies, [&](const Copy& one) { return equal_nocase(one.recipient, recipient); });
  if (copy == row->message.copies.end()) return no_copy(recipient);
  if (row->message.certain) {
    return fail(Code::refused, "this message is not given to its recipients");
  }
  if (copy->requested) return false;
  if (copy->state != CopyState::held && copy->state != CopyState::due) return not_possible(*copy);
  Copy made = *copy;
  made.requested = now;
  const auto place = static_cast<size_t>(copy - row->message.copies.begin());
  const auto put = index.change(*row, place, std::move(made));
  if (!put) return fail(put.error());
  return true;
}

Result<size_t> release_found(Index& index, std::span<const FoundCopy> found,
                             const ReleaseOrder& order, Time now) {
  return each_found(index, found, [&](HeldRow& row, const FoundCopy& one) -> Result<bool> {
    if (!is_here(row.message.copies[one.place].state)) return false;
    return make_due(index, row, one.place, order, one.release_at, now);
  });
}

Result<size_t> hold_again(Index& index, std::span<const FoundCopy> found, std::string_view by,
                          std::string_view note, Time now) {
  return each_found(index, found, [&](HeldRow& row, const FoundCopy& one) -> Result<bool> {
    const Copy& there = row.message.copies[one.place];
    if (there.state != CopyState::due) return false;
    Copy copy = changed(there, CopyState::held, by, now);
    copy.release_at = {};
    copy.paced = false;
    copy.note = note;
    const auto put = index.change(row, one.place, std::move(copy));
    if (!put) return fail(put.error());
    return true;
  });
}

Result<size_t> put_off(Index& index, std::span<const Due> due, Time at, std::string_view note) {
  size_t count = 0;
  for (const Due& one : due) {
    auto there = index.rows().find(one.message.id);
    if (!there) return fail(there.error());
    for (size_t place = 0; *there && place < (*there)->message.copies.size(); ++place) {
      Copy copy = (*there)->message.copies[place];
      const bool meant = std::ranges::find(one.message.copies, copy.recipient, &Copy::recipient) !=
                         one.message.copies.end();
      if (!meant || copy.state != CopyState::due) continue;
      copy.release_at = at;
      copy.note = note;
      const auto put = index.change(**there, place, std::move(copy));
      if (!put) return fail(put.error());
      ++count;
    }
  }
  return count;
}

Result<size_t> discard_found(Index& index, std::span<const FoundCopy> found, std::string_view by,
                             Time now) {
  return each_found(index, found, [&](HeldRow& row, const FoundCopy& one) -> Result<bool> {
    const Copy& there = row.message.copies[one.place];
    if (!is_here(there.state)) return false;
    const auto put = index.change(row, one.place, changed(there, CopyState::discarded, by, now));
    if (!put) return fail(put.error());
    return true;
  });
}

std::vector<FoundCopy> paced(std::vector<FoundCopy> found, std::span<const PacedStep> steps,
                             Time at) {
  size_t reached = steps.empty() ? found.size() : 0;
  for (size_t i = 0; i < reached; ++i) found[i].release_at = at;
  for (const PacedStep& step : steps) {
    const double share = std::clamp(step.up_to, 0.0, 1.0);
    const auto until = std::min(
        found.size(), static_cast<size_t>(std::ceil(share * static_cast<double>(found.size()))));
    for (; reached < until; ++reached) found[reached].release_at = at + step.after;
  }
  found.resize(reached);
  return found;
}

Result<size_t> expire(Index& index, Time now) {
  constexpr size_t kAtOnce = 200;
  const auto numbers = index.past(now, kAtOnce);
  if (!numbers) return fail(numbers.error());
  size_t count = 0;
  for (const uint64_t number : *numbers) {
    auto row = index.rows().at(number);
    if (!row && row.error().code == Code::corrupt) continue;  // the others do not wait for it
    if (!row) return fail(row.error());
    for (size_t place = 0; *row && place < (*row)->message.copies.size(); ++place) {
      const Copy& copy = (*row)->message.copies[place];
      // What somebody has let go goes out, however long that takes.
      if (copy.state != CopyState::held) continue;
      const auto put = index.change(**row, place, changed(copy, CopyState::expired, copy.by, now));
      if (!put) return fail(put.error());
      ++count;
    }
  }
  return count;
}

Result<size_t> forget(Index& index, Time before) {
  constexpr size_t kAtOnce = 200;
  const auto numbers = index.ended(before, kAtOnce);
  if (!numbers) return fail(numbers.error());
  size_t count = 0;
  for (const uint64_t number : *numbers) {
    auto row = index.rows().at(number);
    if (!row && row.error().code == Code::corrupt) continue;
    if (!row) return fail(row.error());
    if (!*row) continue;
    if (const auto done = index.forget(**row); !done) return fail(done.error());
    ++count;
  }
  return count;
}

Result<Erased> erase(Index& index, uint64_t message, std::string_view address, std::string_view by,
                     Time now) {
  Erased erased;
  auto there = index.rows().at(message);
  if (!there) return fail(there.error());
  if (!*there) return erased;
  HeldRow& row = **there;
  HeldSearch sent;
  sent.sender = address;
  const bool from = matches(sent, row.message);
  size_t open = 0;
  for (size_t place = 0; place < row.message.copies.size(); ++place) {
    const Copy copy = row.message.copies[place];
    const bool meant = from || equal_nocase(copy.recipient, address);
    if (copy.state == CopyState::leaving) {
      if (meant) ++erased.leaving;
      ++open;
      continue;
    }
    if (!meant) {
      if (is_open(copy.state)) ++open;
      continue;
    }
    ++erased.copies;
    if (is_open(copy.state)) {
      const auto put = index.change(row, place, changed(copy, CopyState::discarded, by, now));
      if (!put) return fail(put.error());
    }
    if (!equal_nocase(copy.recipient, address)) continue;
    if (const auto blank = index.blank_copy(row, place); !blank) return fail(blank.error());
  }
  if (erased.copies == 0 || open > 0) return erased;
  if (const auto blank = index.blank(row); !blank) return fail(blank.error());
  return erased;
}

}  // namespace watchpost::quarantine
