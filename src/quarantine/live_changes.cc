// What people do with held mail, and what time does.
#include "base/log.h"
#include "quarantine/digest_marks.h"
#include "quarantine/live_quarantine.h"
#include "quarantine/terms.h"

#include <algorithm>

#include <fmt/format.h>

namespace watchpost::quarantine {
namespace {

// Copies changed in one go: a few milliseconds, between which mail is kept.
constexpr size_t kAtOnce = 500;
// What became of mail that has ended is remembered for so long.
constexpr Duration kRemembered = std::chrono::hours(24 * 90);
constexpr Duration kMarksKept = std::chrono::hours(48);  // longer than any day of digests
constexpr auto kBetweenSweeps = std::chrono::hours(1);

}  // namespace

Result<size_t> LiveQuarantine::release(const HeldId& id, std::span<const std::string> recipients,
                                       const ReleaseOrder& order) {
  return change<size_t>(committer_, [&](Index& index) {
    return quarantine::release(index, id, recipients, order, parts_.clock.now());
  });
}

Result<size_t> LiveQuarantine::discard(const HeldId& id, std::span<const std::string> recipients,
                                       std::string_view by) {
  return change<size_t>(committer_, [&](Index& index) {
    return quarantine::discard(index, id, recipients, by, parts_.clock.now());
  });
}

Result<Done> LiveQuarantine::extend(const HeldId& id, Time until) {
  if (until <= parts_.clock.now()) {
    return fail(Code::bad_input, "held mail can be kept until a time to come, not one of the past");
  }
  return change<Done>(committer_,
                      [&](Index& index) { return quarantine::extend(index, id, until); });
}

Result<bool> LiveQuarantine::request(const HeldId& id, std::string_view recipient) {
  return change<bool>(committer_, [&](Index& index) {
    return quarantine::request(index, id, recipient, parts_.clock.now());
  });
}

Result<std::vector<FoundCopy>> LiveQuarantine::found_by(const HeldSearch& search, bool held,
                                                        bool due) {
  std::vector<FoundCopy> found;
  const auto add = [&](const HeldRow& row) {
    // From the last to the first: all of it is turned round below.
    for (size_t place = row.message.copies.size(); place-- > 0;) {
      const Copy& copy = row.message.copies[place];
      const bool wanted =
          (held && copy.state == CopyState::held) || (due && copy.state == CopyState::due);
      if (wanted && matches(search, copy)) found.push_back({row.number, place, {}});
    }
  };
  const auto done = readers_.with([&](IndexReader& reader) { return reader.each(search, add); });
  if (!done) return fail(done.error());
  std::ranges::reverse(found);
  return found;
}

Result<size_t> LiveQuarantine::change_found(std::span<const FoundCopy> found,
                                            const ChangeFound& apply) {
  size_t count = 0;
  while (!found.empty()) {
    const auto some = found.first(std::min(kAtOnce, found.size()));
    found = found.subspan(some.size());
    const auto done = change<size_t>(committer_, [&](Index& index) { return apply(index, some); });
    if (!done) return done;
    count += *done;
  }
  return count;
}

Result<size_t> LiveQuarantine::release_found(const HeldSearch& search,
                                             std::span<const PacedStep> steps,
                                             const ReleaseOrder& order) {
  auto found = found_by(search, true, true);
  if (!found) return fail(found.error());
  const Time now = parts_.clock.now();
  const auto meant = paced(std::move(*found), steps, order.at == Time{} ? now : order.at);
  return change_found(meant, [&](Index& index, std::span<const FoundCopy> some) {
    return quarantine::release_found(index, some, order, parts_.clock.now());
  });
}

Result<size_t> LiveQuarantine::hold_again(const HeldSearch& search, std::string_view by,
                                          std::string_view note) {
  const auto found = found_by(search, false, true);
  if (!found) return fail(found.error());
  return change_found(*found, [&](Index& index, std::span<const FoundCopy> some) {
    return quarantine::hold_again(index, some, by, note, parts_.clock.now());
  });
}

Result<size_t> LiveQuarantine::discard_found(const HeldSearch& search, std::string_view by) {
  const auto found = found_by(search, true, true);
  if (!found) return fail(found.error());
  return change_found(*found, [&](Index& index, std::span<const FoundCopy> some) {
    return quarantine::discard_found(index, some, by, parts_.clock.now());
  });
}

Result<size_t> LiveQuarantine::erase_person(std::string_view address, std::string_view by) {
  if (address.empty() || address.starts_with('@') || address == "<>") {
    return fail(Code::bad_input, "one address is needed, whole");
  }
  std::vector<uint64_t> messages;
  for (const auto field : {&HeldSearch::recipient, &HeldSearch::sender}) {
    HeldSearch search;
    search.*field = address;
    search.all = true;
    const auto found = readers_.with([&](IndexReader& reader) {
      return reader.each(search, [&](const HeldRow& row) { messages.push_back(row.number); });
    });
    if (!found) return fail(found.error());
  }
  std::ranges::sort(messages);
  const auto rest = std::ranges::unique(messages);
  messages.erase(rest.begin(), rest.end());
  Erased all;
  Result<Done> done;
  for (size_t i = 0; i < messages.size() && done; ++i) {
    const auto erased = change<Erased>(committer_, [&](Index& index) {
      return erase(index, messages[i], address, by, parts_.clock.now());
    });
    if (!erased) done = fail(erased.error());
    all.copies += erased ? erased->copies : 0;
    all.leaving += erased ? erased->leaving : 0;
  }
  // Behind all of them: the log of the index still has the texts.
  erased_.store(true);
  const auto forgotten = change<Done>(
      committer_, [&](Index& index) { return drop_digest_mark(index.database(), address); });
  if (!forgotten) return fail(forgotten.error());
  if (!done) return fail(done.error());
  if (all.leaving == 0) return all.copies;
  return fail(Code::refused,
              fmt::format("{} copies were erased; {} are on their way to the mail server and "
                          "could not be: do it again when they are gone",
                          all.copies, all.leaving));
}

Result<size_t> LiveQuarantine::repeat(const std::function<Result<size_t>(Index&)>& step) {
  size_t count = 0;
  while (true) {
    const auto done = change<size_t>(committer_, step);
    if (!done) return done;
    if (*done == 0) return count;
    count += *done;
  }
}

Result<Done> LiveQuarantine::maintain_at(CertainTime::Ticks ticks) {
  const std::lock_guard lock(upkeep_mutex_);
  const Time now = parts_.clock.now();
  if (const auto past = certain_time_.past(now, ticks)) {
    const auto expired = repeat([&](Index& index) { return expire(index, *past); });
    if (!expired) return fail(expired.error());
    if (*expired > 0) {
      log_info("quarantine", "{} copies were discarded at the end of their time", *expired);
    }
    const auto forgotten = repeat([&](Index& index) { return forget(index, *past - kRemembered); });
    if (!forgotten) return fail(forgotten.error());
    const auto ended = change<Done>(committer_, [&](Index& index) {
      const auto gone = index.remove_exceptions(*past);
      return gone ? forget_digest_marks(index.database(), *past - kMarksKept) : gone;
    });
    if (!ended) return ended;
  }
  if (swept_ && ticks - *swept_ < kBetweenSweeps) return Done{};
  // A crash leaves what waited then.
  constexpr size_t kMost = 2 * Intake::kMostWaiting;
  const auto gone = readers_.with([&](IndexReader& reader) {
    return files_.sweep([&](const HeldId& id) { return reader.rows().has_file(id); }, kMost, born_);
  });
  if (!gone && gone.error().code == Code::refused) swept_ = ticks;
  if (!gone) return fail(gone.error());
  if (*gone > 0) log_info("quarantine", "{} files that nothing belongs to were removed", *gone);
  swept_ = ticks;
  return Done{};
}

Result<size_t> LiveQuarantine::rekey() {
  size_t count = 0;
  size_t failed = 0;
  Error first;
  uint64_t after = 0;
  while (true) {
    const auto some = readers_.with(
        [&](IndexReader& reader) { return reader.sealed_by_others(key_, after, kAtOnce); });
    if (!some) return fail(some.error());
    if (some->empty()) break;
    after = some->back();
    for (const uint64_t number : *some) {
      const auto done = rekey(number);
      if (done) {
        ++count;
      } else if (failed++ == 0) {
        first = done.error();
      }
    }
  }
  if (failed == 0) return count;
  return fail(first.code,
              fmt::format("{} files were written anew; {} could not be and still need their old "
                          "key, the first of them: {}",
                          count, failed, first.what),
              first.about);
}

Result<Done> LiveQuarantine::rekey(uint64_t number) {
  const auto row = readers_.with([&](IndexReader& reader) { return reader.rows().at(number); });
  if (!row) return fail(row.error());
  if (!*row || (*row)->key == 0) return Done{};  // it has ended meanwhile
  const HeldId id = (*row)->message.id;
  const auto whole = files_.read(id);
  if (!whole) return fail(whole.error());
  files_.expect(id);
  const auto bytes = files_.rewrite(id, *whole);
  auto done = !bytes ? Result<Done>(fail(bytes.error()))
                     : change<Done>(committer_, [&](Index& index) -> Result<Done> {
                         auto there = index.rows().at(number);
                         if (!there) return fail(there.error());
                         if (*there && (*there)->key != 0) {
                           return index.set_file(**there, index.key(), *bytes);
                         }
                         files_.remove(id);  // it has ended meanwhile, and was written again
                         return Done{};
                       });
  files_.settled(id);
  return done;
}

Result<std::vector<Exception>> LiveQuarantine::exceptions() {
  return readers_.with([&](IndexReader& reader) { return reader.exceptions(parts_.clock.now()); });
}

Result<Done> LiveQuarantine::except(Exception exception) {
  if (exception.name.empty() || exception.when.empty()) {
    return fail(Code::bad_input, "an exception needs a name and a condition");
  }
  return change<Done>(committer_, [&](Index& index) { return index.put(exception); });
}

Result<Done> LiveQuarantine::end_exception(std::string_view name) {
  return change<Done>(committer_, [&](Index& index) -> Result<Done> {
    const auto there = index.remove_exception(name);
    if (!there) return fail(there.error());
    if (!*there) return fail(Code::not_found, "there is no such exception");
    return Done{};
  });
}

}  // namespace watchpost::quarantine
