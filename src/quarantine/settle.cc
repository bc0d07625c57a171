#include "quarantine/settle.h"

#include "base/log.h"
#include "base/text.h"
#include "model/teller.h"

#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace watchpost::quarantine {
namespace {

constexpr Duration kLookSoon = std::chrono::seconds(5);
constexpr Duration kLookLater = std::chrono::seconds(60);
constexpr Duration kTellPeople = std::chrono::minutes(5);
// The mail server's clock may be behind ours by so much.
constexpr Duration kClocksDiffer = std::chrono::minutes(1);
// A mail server whose connection has ended, or that was given up, may ask for the token so long.
constexpr Duration kMayStillAsk = std::chrono::seconds(60);
constexpr size_t kMostEvents = 1000;

bool has_it(const Event& event) {
  return event.kind == EventKind::accepted || event.kind == EventKind::delivered ||
         is_failure(event.kind);
}

bool refused_it(const Event& event) {
  return event.kind == EventKind::rejected && event[Field::stage] == "END-OF-MESSAGE";
}

std::string what_to_do(const Attempt& attempt) {
  return fmt::format(
      "the mail server may have it (queue id {}), and its log does not say: look there, then: "
      "watchpost quarantine settle {} --arrived|--again",
      attempt.queue_id.empty() ? "unknown" : escaped(attempt.queue_id, 64),
      to_hex(attempt.message.id));
}

}  // namespace

LogWord word_of(std::span<const Event> events) {
  bool arrived = false;
  bool refused = false;
  for (const Event& event : events) {
    if (!is_told_by_mail_server(event)) continue;
    arrived |= has_it(event);
    refused |= refused_it(event);
  }
  if (arrived == refused) return LogWord::nothing;
  return arrived ? LogWord::arrived : LogWord::refused;
}

FindInLog find_in_log_of(store::StoreSettings settings) {
  auto reader = std::make_shared<std::unique_ptr<store::Reader>>();
  return [settings = std::move(settings), reader](std::string_view queue_id,
                                                  Time since) -> Result<LogWord> {
    if (!*reader) {
      auto opened = store::Reader::open(settings);
      if (!opened) return fail(opened.error());
      *reader = std::move(*opened);
    }
    const auto page = (*reader)->events({.since = since,
                                         .equal = {{Field::queue_id, std::string(queue_id)}},
                                         .limit = kMostEvents});
    if (!page) {
      reader->reset();
      return fail(page.error());
    }
    return word_of(page->events.events());
  };
}

Settler::Settler(Parts parts)
    : parts_(std::move(parts)),
      arrived_(parts_.metrics.counter("watchpost_quarantine_settled",
                                      "Releases whose end was found out later.",
                                      {{"result", "arrived"}})),
      again_(parts_.metrics.counter("watchpost_quarantine_settled",
                                    "Releases whose end was found out later.",
                                    {{"result", "again"}})),
      open_(parts_.metrics.gauge("watchpost_quarantine_in_doubt",
                                 "Releases of which nobody knows yet whether they arrived.")) {}

Result<Done> Settler::end(const Attempt& attempt, CopyOutcome outcome) {
  std::vector<CopyOutcome> outcomes;
  for (const Copy& copy : attempt.message.copies) {
    outcome.recipient = copy.recipient;
    outcomes.push_back(outcome);
  }
  const auto ended = parts_.quarantine.end(attempt, outcomes);
  if (!ended) return fail(ended.error());
  if (outcome.kind == CopyOutcome::Kind::released) arrived_.add();
  if (outcome.kind == CopyOutcome::Kind::again) again_.add();
  return Done{};
}

LogWord Settler::ask_log(const Attempt& attempt, Time now) {
  if (attempt.queue_id.empty() || !parts_.find_in_log) return LogWord::nothing;
  const auto word = parts_.find_in_log(attempt.queue_id, attempt.began - kClocksDiffer);
  if (word) return *word;
  if (now - complained_ >= std::chrono::minutes(1)) {
    complained_ = now;
    log_warning("quarantine", "what became of {} cannot be looked up: {}",
                to_hex(attempt.message.id), word.error().text());
  }
  return LogWord::nothing;
}

// True: settled.
Result<bool> Settler::look_at(const Attempt& attempt, Doubt& doubt, Time now) {
  using Kind = CopyOutcome::Kind;
  if (!attempt.redeemed) {
    // What it has not asked for, the mail server does not have. With an earlier start the milter
    // ended that it would ask; while this one is there it may be about to.
    if (!first_look_ && now - doubt.since < kMayStillAsk) return false;
    const auto ended = end(attempt, {.kind = Kind::again, .at = now, .note = ""});
    if (ended) return true;
    // It has asked just now.
    if (ended.error().code == Code::refused) return false;
    return fail(ended.error());
  }
  if (now < doubt.next) return false;
  const Duration age = now - attempt.began;
  doubt.next = now + (age < kTellPeople ? kLookSoon : kLookLater);
  const LogWord word = ask_log(attempt, now);
  if (word != LogWord::nothing) {
    const bool arrived = word == LogWord::arrived;
    log_info("quarantine", "release of {}: the mail server's log says that {} {}",
             to_hex(attempt.message.id), escaped(attempt.queue_id, 64),
             arrived ? "arrived" : "was refused; it goes out again");
    const auto ended =
        end(attempt, {.kind = arrived ? Kind::released : Kind::again, .at = now, .note = ""});
    if (!ended) return fail(ended.error());
    return true;
  }
  if (age < kTellPeople || doubt.told) return false;
  log_error("quarantine", "release of {}: {}", to_hex(attempt.message.id), what_to_do(attempt));
  const auto noted = end(attempt, {.kind = Kind::in_doubt, .at = now, .note = what_to_do(attempt)});
  if (!noted) return fail(noted.error());
  doubt.told = true;
  return false;
}

Result<size_t> Settler::look() {
  const std::lock_guard lock(mutex_);
  const auto attempts = parts_.quarantine.in_doubt();
  if (!attempts) return fail(attempts.error());
  const Time now = parts_.clock.now();
  size_t settled = 0;
  for (auto& [number, doubt] : doubts_) doubt.seen = false;
  for (const Attempt& attempt : *attempts) {
    Doubt& doubt = doubts_.try_emplace(attempt.number, Doubt{.since = now}).first->second;
    const auto looked = look_at(attempt, doubt, now);
    if (!looked) return fail(looked.error());
    doubt.seen = !*looked;
    settled += *looked ? 1 : 0;
  }
  first_look_ = false;
  std::erase_if(doubts_, [](const auto& one) { return !one.second.seen; });
  open_.set(static_cast<double>(doubts_.size()));
  return settled;
}

Result<size_t> Settler::settle(const HeldId& id, Settlement settlement, std::string_view who) {
  const std::lock_guard lock(mutex_);
  const auto attempts = parts_.quarantine.in_doubt();
  if (!attempts) return fail(attempts.error());
  const bool arrived = settlement == Settlement::arrived;
  size_t copies = 0;
  for (const Attempt& attempt : *attempts) {
    if (attempt.message.id != id) continue;
    const auto ended =
        end(attempt, {.kind = arrived ? CopyOutcome::Kind::released : CopyOutcome::Kind::again,
                      .at = parts_.clock.now(),
                      .note = fmt::format("{} says that it {}", escaped(who, 64),
                                          arrived ? "arrived" : "did not arrive")});
    if (!ended) return fail(ended.error());
    copies += attempt.message.copies.size();
  }
  if (copies == 0) return fail(Code::not_found, "nothing of it is in doubt", to_hex(id));
  return copies;
}

}  // namespace watchpost::quarantine
