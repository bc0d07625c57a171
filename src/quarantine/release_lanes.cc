#include "quarantine/release_lanes.h"

#include "base/log.h"
#include "base/text.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

namespace watchpost::quarantine {
namespace {

using Kind = CopyOutcome::Kind;
using Fate = net::SmtpFate::Kind;

constexpr size_t kLongestNote = 300;
constexpr size_t kWantsMore = ReleaseLanes::kMostWaiting / 4;

std::vector<CopyOutcome> all_of(const Attempt& attempt, const CopyOutcome& outcome) {
  std::vector<CopyOutcome> outcomes(attempt.message.copies.size(), outcome);
  for (size_t i = 0; i < outcomes.size(); ++i) {
    outcomes[i].recipient = attempt.message.copies[i].recipient;
  }
  return outcomes;
}

// Of the envelope: "<>" is how the null sender is shown.
std::string sender_of(const HeldMessage& message) {
  return message.sender == "<>" ? std::string() : message.sender;
}

}  // namespace

ReleaseCounters::ReleaseCounters(Metrics& metrics)
    : released(metrics.counter("watchpost_quarantine_releases",
                               "Copies of held messages handed to the mail server.",
                               {{"result", "released"}})),
      again(metrics.counter("watchpost_quarantine_releases",
                            "Copies of held messages handed to the mail server.",
                            {{"result", "again"}})),
      refused(metrics.counter("watchpost_quarantine_releases",
                              "Copies of held messages handed to the mail server.",
                              {{"result", "refused"}})),
      in_doubt(metrics.counter("watchpost_quarantine_releases",
                               "Copies of held messages handed to the mail server.",
                               {{"result", "in_doubt"}})),
      unasked(metrics.counter("watchpost_quarantine_unasked",
                              "Releases that a mail server took without asking this milter.")),
      seconds(metrics.histogram("watchpost_quarantine_release_seconds",
                                "How long one release takes, from its beginning to its end.")) {}

ReleaseLanes::ReleaseLanes(ReleaseContext& context, std::string server, size_t lanes,
                           std::function<void()> wants_more)
    : context_(context), server_(std::move(server)), wants_more_(std::move(wants_more)) {
  for (size_t i = 0; i < lanes; ++i) threads_.emplace_back([this] { run(); });
}

ReleaseLanes::~ReleaseLanes() { end(); }

bool ReleaseLanes::put(Due due) {
  {
    const std::lock_guard lock(mutex_);
    if (ended_ || waiting_.size() >= kMostWaiting) return false;
    if (!in_hand_.insert(due.message.id).second) return false;
    waiting_.push_back(std::move(due));
  }
  filled_.notify_one();
  return true;
}

void ReleaseLanes::end() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  filled_.notify_all();
  for (std::thread& one : threads_) one.join();
  threads_.clear();
}

void ReleaseLanes::run() {
  net::SmtpDelivery delivery(
      {.server = server_, .helo = std::string(kReleaseHelo), .patience = context_.patience},
      context_.stop);
  for (;;) {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [&] { return ended_ || !waiting_.empty(); });
    if (ended_) return;
    const Due due = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    release(due, delivery);
    lock.lock();
    in_hand_.erase(due.message.id);
    const bool wants_more = waiting_.empty() || waiting_.size() == kWantsMore;
    lock.unlock();
    if (wants_more) wants_more_();
  }
}

void ReleaseLanes::release(const Due& due, net::SmtpDelivery& delivery) {
  const auto start = std::chrono::steady_clock::now();
  const auto attempt = context_.quarantine.begin(due);
  if (!attempt) {
    // Thrown away, or held again, since it was found.
    const Code code = attempt.error().code;
    if (code == Code::not_found || code == Code::refused) return;
    if (context_.disk_trouble.may(context_.clock.now())) {
      log_error("quarantine", "nothing can be released: {}", attempt.error().text());
    }
    return;
  }
  conclude(*attempt, hand_in(*attempt, delivery));
  const auto taken = std::chrono::steady_clock::now() - start;
  context_.counters.seconds.observe(std::chrono::duration<double>(taken).count());
}

std::vector<CopyOutcome> ReleaseLanes::hand_in(const Attempt& attempt,
                                               net::SmtpDelivery& delivery) {
  const HeldMessage& message = attempt.message;
  const auto content = context_.quarantine.read(message.id);
  if (!content) {
    const bool lost =
        content.error().code == Code::corrupt || content.error().code == Code::not_found;
    log_error("quarantine", "{} cannot be read, and is not released: {}", to_hex(message.id),
              content.error().text());
    return all_of(attempt,
                  {.kind = lost ? Kind::refused : Kind::again,
                   .at = context_.pauses.next_try(message.id, context_.clock.now()),
                   .note = "it cannot be read: " + escaped(content.error().text(), kLongestNote)});
  }
  const std::string head = fmt::format("{}: {}\r\n", kReleaseField, attempt.token);
  net::SmtpMail mail{.from = sender_of(message),
                     .arguments = message.sender_arguments,
                     .whole = true,
                     .head = head,
                     .message = content->message};
  for (const Copy& copy : message.copies) mail.to.push_back({copy.recipient, copy.arguments});
  const auto outcome = delivery.send(mail);
  if (!outcome) {
    return all_of(attempt,
                  {.kind = Kind::refused, .note = "it cannot be sent: " + outcome.error().text()});
  }
  return outcomes_of(attempt, *outcome);
}

std::vector<CopyOutcome> ReleaseLanes::outcomes_of(const Attempt& attempt,
                                                   const net::SmtpDelivery::Outcome& outcome) {
  const HeldId& id = attempt.message.id;
  const Time now = context_.clock.now();
  const bool stopping = context_.stop.stopped();
  if (outcome.reached) {
    context_.pauses.works(server_);
  } else if (!stopping) {
    const Time until = context_.pauses.failed(server_, now);
    const CopyOutcome later{
        .kind = Kind::again, .at = until, .note = escaped(outcome.fates[0].text, kLongestNote)};
    return all_of(attempt, later);
  }
  // Those whom the server would have taken, had it not refused another, go out again at once.
  const bool split = std::ranges::any_of(outcome.fates, [](const net::SmtpFate& fate) {
    return fate.kind == Fate::refused || fate.kind == Fate::deferred;
  });
  const bool at_once = split || stopping;
  const bool failed = std::ranges::any_of(outcome.fates, [&](const net::SmtpFate& fate) {
    return fate.kind == Fate::deferred || (fate.kind == Fate::not_sent && !at_once);
  });
  const Time later = failed ? context_.pauses.next_try(id, now) : now;
  if (!failed) context_.pauses.forget(id);
  std::vector<CopyOutcome> outcomes = all_of(attempt, {});
  for (size_t i = 0; i < outcomes.size(); ++i) {
    const net::SmtpFate& fate = outcome.fates[i];
    outcomes[i].note = fate.kind == Fate::taken ? "" : escaped(fate.text, kLongestNote);
    switch (fate.kind) {
      case Fate::taken: outcomes[i].kind = Kind::released; break;
      case Fate::refused: outcomes[i].kind = Kind::refused; break;
      case Fate::deferred: outcomes[i].at = later; break;
      case Fate::not_sent: outcomes[i].at = at_once ? now : later; break;
      case Fate::in_doubt: outcomes[i].kind = Kind::in_doubt; break;
    }
  }
  return outcomes;
}

// What is known now must not be lost: after a restart it would have to be found out. So it is tried
// until the disk is well, or Watchpost is stopped.
void ReleaseLanes::conclude(const Attempt& attempt, std::span<const CopyOutcome> outcomes) {
  constexpr auto kAgain = std::chrono::milliseconds(200);
  for (;;) {
    const auto ended = context_.quarantine.end(attempt, outcomes);
    if (ended) return count(outcomes, *ended);
    if (context_.disk_trouble.may(context_.clock.now())) {
      log_error("quarantine", "what became of the release of {} cannot be noted: {}",
                to_hex(attempt.message.id), ended.error().text());
    }
    const Code code = ended.error().code;
    const bool for_good = code == Code::not_found || code == Code::refused || code == Code::corrupt;
    if (for_good || context_.stop.stopped()) return;
    std::this_thread::sleep_for(kAgain);
  }
}

void ReleaseLanes::count(std::span<const CopyOutcome> outcomes, bool redeemed) {
  const ReleaseCounters& counters = context_.counters;
  bool released = false;
  for (const CopyOutcome& outcome : outcomes) {
    switch (outcome.kind) {
      case Kind::released:
        counters.released.add();
        released = true;
        break;
      case Kind::again: counters.again.add(); break;
      case Kind::refused: counters.refused.add(); break;
      case Kind::in_doubt: counters.in_doubt.add(); break;
    }
  }
  if (!released || redeemed) return;
  counters.unasked.add();
  if (!context_.nobody_asks.may(context_.clock.now())) return;
  log_error("quarantine",
            "the mail server at {} does not ask this Watchpost's milter: what is released there is "
            "filtered by nobody here, and after a crash might be delivered twice",
            server_);
}

}  // namespace watchpost::quarantine
