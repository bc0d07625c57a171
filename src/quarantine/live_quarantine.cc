#include "quarantine/live_quarantine.h"

#include "crypto/digest.h"
#include "quarantine/digest_marks.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

namespace watchpost::quarantine {
namespace {

std::string hash_of(std::string_view token) {
  const crypto::Sha256 hash = crypto::sha256(token);
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

}  // namespace

Result<std::unique_ptr<Quarantine>> Quarantine::open(Parts parts) {
  return LiveQuarantine::open(std::move(parts));
}

Result<std::unique_ptr<LiveQuarantine>> LiveQuarantine::open(Parts parts) {
  auto folder = open_folder(parts.folder, parts.settings.key_file);
  if (!folder) return fail(folder.error());
  return std::unique_ptr<LiveQuarantine>(new LiveQuarantine(std::move(parts), std::move(*folder)));
}

LiveQuarantine::LiveQuarantine(Parts parts, Folder folder)
    : parts_(std::move(parts)),
      lock_(std::move(folder.lock)),
      files_(std::move(folder.files)),
      room_(parts_.folder + "/mail", static_cast<uint64_t>(parts_.settings.space)),
      gauges_(parts_.metrics),
      start_(folder.index.start()),
      born_(folder.index.born()),
      key_(folder.index.key()),
      secret_(folder.index.secret()),
      readers_(index_path(parts_.folder), folder.index.seed()),
      committer_((publish(folder.index), std::move(folder.index)), hooks()),
      intake_({.files = files_,
               .committer = committer_,
               .room = room_,
               .clock = parts_.clock,
               .metrics = parts_.metrics,
               .keep = parts_.settings.keep,
               .left = [this](const HeldId& id) { left_.push_back(id); }}) {}

LiveQuarantine::~LiveQuarantine() { stop(); }

void LiveQuarantine::stop() {
  stopped_.store(true);
  intake_.stop();
  committer_.stop();
}

Committer::Hooks LiveQuarantine::hooks() {
  return {.committed =
              [this](Index& index) {
                publish(index);
                for (const HeldId& id : index.take_gone()) files_.remove(id);
                clear_log(index);
              },
          .answered = [this](Index&, bool well) { remove_left(well); },
          .now_and_then = [this](Index& index) { look(index); },
          .failed = [this](const Error& why) { room_.fail_with(why); }};
}

// Files of what was not kept.
void LiveQuarantine::remove_left(bool well) {
  if (!well) return;
  for (const HeldId& id : left_) {
    files_.remove(id);
    files_.settled(id);
  }
  left_.clear();
}

void LiveQuarantine::publish(Index& index) {
  const Totals& totals = index.totals();
  Usage usage;
  usage.messages = totals.messages;
  usage.copies = totals.copies;
  usage.due = totals.due;
  usage.requested = totals.requested;
  usage.bytes = totals.bytes;
  usage.space = static_cast<uint64_t>(parts_.settings.space);
  room_.hold(totals.bytes);
  if (const auto oldest = index.oldest()) usage.oldest = *oldest;
  usage.trouble = room_.trouble();
  gauges_.show(usage, parts_.clock.now());
  const std::lock_guard lock(mutex_);
  usage_ = std::move(usage);
}

// A reader in the middle of something keeps the log as it is: then it is tried again.
void LiveQuarantine::clear_log(Index& index) {
  if (!erased_.load()) return;
  (void)index.database().checkpoint(true);
  std::error_code error;
  const auto left = std::filesystem::file_size(index_path(parts_.folder) + "-wal", error);
  if (error || left == 0) erased_.store(false);
}

void LiveQuarantine::look(Index& index) {
  clear_log(index);
  const bool was_broken = room_.is_broken();
  if (room_.look() && was_broken) {
    // The index must be written as well, which also makes sure that nothing of a commit that failed
    // is left in its log.
    auto wrote = index.begin();
    if (wrote) {
      wrote =
          index.database().run("UPDATE meta SET value = value WHERE name = CAST('start' AS BLOB)");
      if (wrote) {
        wrote = index.commit();
      } else {
        index.roll_back();
      }
    }
    if (wrote) {
      room_.mend();
      remove_left(true);
    }
  }
  publish(index);
}

void LiveQuarantine::keep(HeldMessage message, HeldContent content, Kept done) {
  intake_.keep(std::move(message), std::move(content), std::move(done));
}

void LiveQuarantine::redeem(const Presented& presented, Redeemed done) {
  struct Asked {
    std::string hash, queue_id, sha;
    Redeemed done;
    HeldMessage message;
  };
  auto asked = std::make_shared<Asked>(Asked{hash_of(presented.token),
                                             presented.queue_id,
                                             sha_of(presented.message),
                                             std::move(done),
                                             {}});
  committer_.submit({.apply = [asked](Index& index) -> Result<Done> {
                       auto message =
                           quarantine::redeem(index, asked->hash, asked->queue_id, asked->sha);
                       if (!message) return fail(message.error());
                       asked->message = std::move(*message);
                       return Done{};
                     },
                     .finished =
                         [asked](const Result<Done>& noted) {
                           if (noted) {
                             asked->done(std::move(asked->message));
                           } else {
                             asked->done(fail(noted.error()));
                           }
                         }});
}

Result<HeldPage> LiveQuarantine::list(const HeldSearch& search) {
  return readers_.with([&](IndexReader& reader) { return reader.list(search); });
}

Result<HeldMessage> LiveQuarantine::find(const HeldId& id) {
  auto row = readers_.with([&](IndexReader& reader) { return reader.rows().find(id); });
  if (!row) return fail(row.error());
  if (!*row) return fail(Code::not_found, "no such message is held");
  return std::move((*row)->message);
}

Result<HeldContent> LiveQuarantine::read(const HeldId& id) {
  const auto whole = files_.read(id);
  if (!whole) {
    if (whole.error().code != Code::not_found) return fail(whole.error());
    // It may have gone meanwhile: the index knows.
    const auto has = readers_.with([&](IndexReader& reader) { return reader.rows().has_file(id); });
    if (!has) return fail(has.error());
    if (*has && !files_.is_there(id)) {
      return fail(Code::corrupt, "the file of this held message is missing", whole.error().about);
    }
    return fail(Code::not_found, "no such message is held any more");
  }
  auto read = decode_whole(*whole);
  if (!read) return fail(read.error());
  return std::move(read->content);
}

Result<Usage> LiveQuarantine::usage() {
  const std::lock_guard lock(mutex_);
  Usage usage = usage_;
  usage.trouble = room_.trouble();
  return usage;
}

Result<Done> LiveQuarantine::put_off(std::span<const Due> due, Time at, std::string_view note) {
  const auto done = change<size_t>(
      committer_, [&](Index& index) { return quarantine::put_off(index, due, at, note); });
  if (!done) return fail(done.error());
  return Done{};
}

Result<Attempt> LiveQuarantine::begin(const Due& due) {
  const std::string token = crypto::random_hex(32);
  auto attempt = change<Attempt>(committer_, [&, hash = hash_of(token)](Index& index) {
    return quarantine::begin(index, due, hash, parts_.clock.now());
  });
  if (attempt) attempt->token = token;
  return attempt;
}

Result<bool> LiveQuarantine::end(const Attempt& attempt, std::span<const CopyOutcome> outcomes) {
  auto done = change<bool>(committer_, [&](Index& index) {
    return quarantine::end(index, attempt, outcomes, parts_.clock.now());
  });
  if (done) {
    gauges_.count_released(static_cast<size_t>(
        std::ranges::count(outcomes, CopyOutcome::Kind::released, &CopyOutcome::kind)));
  }
  return done;
}

Result<std::vector<Due>> LiveQuarantine::due(size_t most) {
  return readers_.with([&](IndexReader& reader) { return reader.due(parts_.clock.now(), most); });
}

Result<std::vector<Attempt>> LiveQuarantine::in_doubt() {
  return readers_.with([&](IndexReader& reader) -> Result<std::vector<Attempt>> {
    const auto doubtful = reader.rows().doubtful(start_);
    if (!doubtful) return fail(doubtful.error());
    std::vector<Attempt> found;
    for (const AttemptRow& one : *doubtful) {
      const auto row = reader.rows().at(one.message);
      if (!row && row.error().code == Code::corrupt) continue;  // the others do not wait for it
      if (!row) return fail(row.error());
      if (*row) found.push_back(attempt_from(one, **row));
    }
    return found;
  });
}

Result<std::vector<DigestDue>> LiveQuarantine::digest_due(Time day, size_t most) {
  return readers_.with([&](IndexReader& reader) {
    return find_digest_due(reader.database(), reader.rows(), day, most);
  });
}

Result<Done> LiveQuarantine::mark_digest(std::string_view recipient, const DigestMark& mark) {
  return change<Done>(
      committer_, [&](Index& index) { return put_digest_mark(index.database(), recipient, mark); });
}

}  // namespace watchpost::quarantine
