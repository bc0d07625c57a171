// Attempts to hand held mail to the mail server: what happens at most once.
#include "base/log.h"
#include "quarantine/changes.h"

#include <algorithm>

#include <fmt/format.h>

namespace watchpost::quarantine {
namespace {

std::unexpected<Error> no_attempt() {
  return fail(Code::not_found, "there is no such attempt any more");
}

Result<HeldRow> message_of(Index& index, const AttemptRow& attempt) {
  auto row = index.rows().at(attempt.message);
  if (!row) return fail(row.error());
  if (!*row) return no_attempt();
  return std::move(**row);
}

Copy after(const Copy& copy, const CopyOutcome& outcome, Time now) {
  Copy made = copy;
  made.changed = now;
  if (!outcome.note.empty()) made.note = outcome.note;
  switch (outcome.kind) {
    case CopyOutcome::Kind::released: made.state = CopyState::released; break;
    case CopyOutcome::Kind::again:
      made.state = CopyState::due;
      made.release_at = outcome.at == Time{} ? now : outcome.at;
      break;
    case CopyOutcome::Kind::refused:
      made.state = CopyState::held;
      made.release_at = {};
      made.paced = false;
      break;
    case CopyOutcome::Kind::in_doubt: break;
  }
  return made;
}

bool says_that_it_is_not_there(const CopyOutcome& outcome) {
  return outcome.kind == CopyOutcome::Kind::again || outcome.kind == CopyOutcome::Kind::refused;
}

}  // namespace

Result<Attempt> begin(Index& index, const Due& due, std::string_view hash, Time now) {
  auto row = index.rows().find(due.message.id);
  if (!row) return fail(row.error());
  if (!*row) return fail(Code::not_found, "no such message is held");
  const auto attempt = index.begin_attempt(**row, hash, now);
  if (!attempt) return fail(attempt.error());
  std::vector<Copy>& copies = (*row)->message.copies;
  bool any = false;
  for (size_t place = 0; place < copies.size(); ++place) {
    const bool wanted = std::ranges::find(due.message.copies, copies[place].recipient,
                                          &Copy::recipient) != due.message.copies.end();
    if (!wanted || copies[place].state != CopyState::due) continue;
    Copy copy = copies[place];
    copy.state = CopyState::leaving;
    copy.changed = now;
    copy.note.clear();
    const auto put = index.change(**row, place, std::move(copy), attempt->number);
    if (!put) return fail(put.error());
    any = true;
  }
  if (!any) return fail(Code::refused, "none of these copies is due any more");
  return attempt_from(*attempt, **row);
}

Result<HeldMessage> redeem(Index& index, std::string_view hash, std::string_view queue_id,
                           std::string_view sha) {
  const auto attempt = index.rows().attempt_of(hash);
  if (!attempt) return fail(attempt.error());
  if (!*attempt || (*attempt)->redeemed) {
    return fail(Code::not_found, "this is no token of a release under way");
  }
  auto row = message_of(index, **attempt);
  if (!row) return fail(row.error());
  if (const auto put = index.redeem(**attempt, queue_id); !put) return fail(put.error());
  if (sha != row->sha) {
    log_warning("quarantine",
                "the mail server has other bytes of the released message {} than those that are "
                "held: something changes mail on its way to the release port",
                to_hex(row->message.id));
    for (size_t place = 0; place < row->message.copies.size(); ++place) {
      if (row->attempts[place] != (*attempt)->number) continue;
      Copy copy = row->message.copies[place];
      copy.note = "the mail server took other bytes than those that were held";
      const auto put = index.change(*row, place, std::move(copy), (*attempt)->number);
      if (!put) return fail(put.error());
    }
  }
  return attempt_from(**attempt, *row).message;
}

Result<bool> end(Index& index, const Attempt& attempt, std::span<const CopyOutcome> outcomes,
                 Time now) {
  const auto there = index.rows().attempt(attempt.number);
  if (!there) return fail(there.error());
  if (!*there) return no_attempt();
  auto row = message_of(index, **there);
  if (!row) return fail(row.error());
  // Who settled a doubt knew less than we do: the mail server has it by now, perhaps.
  const bool was_in_doubt = (*there)->doubt || (*there)->start < index.start();
  if (was_in_doubt && (*there)->redeemed && !attempt.redeemed &&
      std::ranges::any_of(outcomes, says_that_it_is_not_there)) {
    return fail(Code::refused, "the mail server was told to go on with it meanwhile");
  }
  bool open = false;
  for (size_t place = 0; place < row->message.copies.size(); ++place) {
    if (row->attempts[place] != attempt.number) continue;
    const Copy& copy = row->message.copies[place];
    const auto outcome = std::ranges::find(outcomes, copy.recipient, &CopyOutcome::recipient);
    const bool doubtful = outcome == outcomes.end() || outcome->kind == CopyOutcome::Kind::in_doubt;
    open = open || doubtful;
    if (outcome == outcomes.end()) continue;
    const auto put =
        index.change(*row, place, after(copy, *outcome, now), doubtful ? attempt.number : 0);
    if (!put) return fail(put.error());
  }
  const auto noted = open ? index.mark_doubt(**there) : index.end_attempt(**there);
  if (!noted) return fail(noted.error());
  return (*there)->redeemed;
}

}  // namespace watchpost::quarantine
