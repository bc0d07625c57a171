#include "dns/questions.h"

#include "base/result.h"
#include "dns/outcome.h"

#include <algorithm>
#include <unistd.h>

#include <fmt/format.h>

namespace watchpost::dns {
namespace {

std::string key_of(const Question& question) {
  return fmt::format("{} {}", name_of(question.type), question.name);
}

}  // namespace

struct Questions::Asked {
  Question question;  // as it was asked
  Question current;   // where CNAMEs led
  std::vector<Waiter*> waiters;
  std::vector<uint64_t> attempts;  // whose reply is out
  size_t tried = 0;                // attempts of the current name
  Time next;                       // when to try again
  Time ends;
  Time timer;
  uint32_t ttl = 0x7FFFFFFF;
  uint32_t aliases = 0;
  bool authentic = true;
  std::string why;  // what went wrong last
};

Questions::Questions(NameServers& servers, AskingOptions options, Keep keep)
    : servers_(servers),
      options_(options),
      keep_(std::move(keep)),
      knows_no_edns_(servers.count(), false) {}

Questions::~Questions() = default;

void Questions::ask(Waiter& waiter, Time now) {
  if (waiters_ >= options_.most || servers_.waiting() >= options_.most) {
    return let_go(waiter, "Too many DNS look-ups wait for an answer already");
  }
  ++waiters_;
  const auto [place, is_new] = asked_.try_emplace(key_of(waiter.question));
  if (is_new) {
    place->second = std::make_unique<Asked>();
    begin(*place->second, waiter.question, now);
  }
  Asked& asked = *place->second;
  asked.waiters.push_back(&waiter);
  set_timer(asked, std::min(asked.timer, waiter.until));
}

void Questions::begin(Asked& asked, const Question& question, Time now) {
  asked.question = asked.current = question;
  asked.ends = asked.timer = now + options_.timeout;
  timers_.emplace(asked.timer, &asked);
  send_next(asked, now);
  schedule(asked);
}

// Each round of all servers waits twice as long as the one before; together they take as long as
// the question may.
Duration Questions::wait_after(size_t attempt) const {
  const size_t servers = servers_.count();
  const auto shares = static_cast<int64_t>(((size_t{1} << options_.tries) - 1) * servers);
  return options_.timeout * (int64_t{1} << (attempt / servers)) / shares;
}

void Questions::send_next(Asked& asked, Time now) {
  if (asked.tried == most_attempts()) {
    asked.next = asked.ends;
    return;
  }
  const size_t attempt = asked.tried++;
  asked.next = now + wait_after(attempt);
  send(asked, attempt % servers_.count());
}

void Questions::send(Asked& asked, size_t server) {
  const uint64_t query = ++sent_;
  const Attempt attempt{&asked, server, random_id(), !knows_no_edns_[server]};
  attempts_.emplace(query, attempt);
  asked.attempts.push_back(query);
  servers_.send(server, query, write_query(attempt.id, asked.current, attempt.edns));
}

void Questions::on(const Arrival& arrival, Time now) {
  const auto found = attempts_.find(arrival.query);
  if (found == attempts_.end()) return;  // of a question that has its answer
  const Attempt attempt = found->second;
  Asked& asked = *attempt.asked;
  attempts_.erase(found);
  std::erase(asked.attempts, arrival.query);
  if (arrival.reply) {
    on_reply(asked, attempt, read_reply(*arrival.reply, attempt.id, asked.current), now);
  } else {
    asked.why = arrival.why;
    on_failure(asked, false, now);
  }
}

void Questions::on_reply(Asked& asked, const Attempt& attempt, Reply reply, Time now) {
  Answer& answer = reply.answer;
  if (reply.refuses_edns && attempt.edns) {
    knows_no_edns_[attempt.server] = true;
    return send(asked, attempt.server);
  }
  if (answer.outcome == Outcome::failed && reply.alias.empty()) {
    asked.why = std::move(answer.why);
    return on_failure(asked, reply.is_final, now);
  }
  asked.authentic &=
      answer.authentic && (options_.trust_ad || servers_.at(attempt.server).is_loopback());
  asked.ttl = std::min(asked.ttl, answer.ttl);
  asked.aliases += reply.aliases;
  if (asked.aliases > kMostAliases) {
    Answer failure;
    failure.why =
        fmt::format("{} leads through more than {} CNAMEs",
                    question_text(asked.question.name, asked.question.type), kMostAliases);
    return finish(asked, std::move(failure));
  }
  if (reply.alias.empty()) {
    answer.ttl = asked.ttl;
    answer.authentic = asked.authentic;
    return finish(asked, std::move(answer));
  }
  asked.current.name = std::move(reply.alias);
  asked.tried = 0;
  for (const uint64_t other : std::exchange(asked.attempts, {})) attempts_.erase(other);
  send_next(asked, now);
  schedule(asked);
}

// `final`: the server has spoken, and would say the same again.
void Questions::on_failure(Asked& asked, bool final, Time now) {
  if (asked.tried < servers_.count()) {
    send_next(asked, now);
  } else if (asked.attempts.empty() && (final || asked.tried == most_attempts())) {
    Answer failure;
    failure.why = asked.why;
    return finish(asked, std::move(failure));
  }
  schedule(asked);
}

void Questions::finish(Asked& asked, Answer answer) {
  const AnswerPtr kept = keep_(asked.question, std::move(answer));
  for (Waiter* waiter : asked.waiters) {
    waiter->answer = kept;
    ready_.push_back(waiter);
  }
  drop(asked);
}

void Questions::drop(Asked& asked) {
  waiters_ -= asked.waiters.size();
  for (const uint64_t query : asked.attempts) attempts_.erase(query);
  timers_.erase({asked.timer, &asked});
  asked_.erase(key_of(asked.question));
}

void Questions::let_go(Waiter& waiter, std::string why) {
  waiter.answer = failed(std::move(why));
  ready_.push_back(&waiter);
}

void Questions::schedule(Asked& asked) {
  Time timer = std::min(asked.next, asked.ends);
  for (const Waiter* waiter : asked.waiters) timer = std::min(timer, waiter->until);
  set_timer(asked, timer);
}

void Questions::set_timer(Asked& asked, Time timer) {
  if (timer == asked.timer) return;
  timers_.erase({asked.timer, &asked});
  asked.timer = timer;
  timers_.emplace(timer, &asked);
}

std::optional<Time> Questions::next() const {
  if (timers_.empty()) return std::nullopt;
  return timers_.begin()->first;
}

void Questions::advance(Time now) {
  while (!timers_.empty() && timers_.begin()->first <= now) due(*timers_.begin()->second, now);
}

void Questions::due(Asked& asked, Time now) {
  const auto late = std::ranges::partition(
      asked.waiters, [&](const Waiter* waiter) { return waiter->until > now; });
  for (Waiter* waiter : late) {
    let_go(*waiter, fmt::format("The time that the message had for DNS was over before {} was "
                                "answered",
                                question_text(asked.question.name, asked.question.type)));
  }
  waiters_ -= late.size();
  asked.waiters.erase(late.begin(), late.end());
  if (asked.ends <= now) {
    Answer failure;
    failure.why = asked.why.empty() ? nobody_answered(asked) : asked.why;
    return finish(asked, std::move(failure));
  }
  if (asked.next <= now) send_next(asked, now);
  schedule(asked);
}

std::string Questions::nobody_answered(const Asked& asked) const {
  std::string servers;
  for (size_t i = 0; i < std::min<size_t>(servers_.count(), 3); ++i) {
    if (i > 0) servers += ", ";
    servers += servers_.at(i).text();
  }
  return fmt::format("No answer came in time for {} from {}",
                     question_text(asked.question.name, asked.question.type), servers);
}

void Questions::give_up(const std::string& why) {
  while (!asked_.empty()) {
    Asked& asked = *asked_.begin()->second;
    for (Waiter* waiter : asked.waiters) let_go(*waiter, why);
    drop(asked);
  }
}

// Nobody outside may guess it (RFC 5452 section 9.2): it comes from the system, a store at a time.
uint16_t Questions::random_id() {
  if (random_.empty()) {
    random_.resize(128);
    WP_CHECK(getentropy(random_.data(), random_.size() * sizeof(uint16_t)) == 0);
  }
  const uint16_t id = random_.back();
  random_.pop_back();
  return id;
}

}  // namespace watchpost::dns
