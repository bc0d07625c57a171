#include "border/milter/server.h"

#include "base/log.h"
#include "border/milter/counters.h"
#include "net/address.h"
#include "net/awaited.h"
#include "net/listener.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace watchpost::border {
namespace {

using Steady = std::chrono::steady_clock;
using Stage = MilterSession::Stage;
using AwaitedAnswer = net::Awaited<std::optional<Answer>>;

// From the first field to the end: a mail server sends that at once, it has all of it.
constexpr Duration kContentTime = std::chrono::seconds(300);
// While its client sends the message nothing is heard, and clients may be slow.
constexpr Duration kDataTime = std::chrono::hours(2);
constexpr Duration kWriteTime = std::chrono::seconds(30);
// So many past the limit are taken only to be counted and closed; more are closed unseen.
constexpr size_t kTurnedAway = 16;

// The answer to one message: what is first counts, answer or deadline.
struct Pending {
  Pending(std::shared_ptr<AwaitedAnswer> answer, Counter& late_answers)
      : awaited(std::move(answer)), late(late_answers) {}

  // Nothing: there will be none. False where it comes too late.
  bool give(std::optional<Answer> answer) {
    if (given.exchange(true)) return false;
    if (!settled.exchange(true)) {
      awaited->answer(std::move(answer));
      return true;
    }
    if (answer) late.add();
    return false;
  }
  // False where the answer has been given.
  bool give_up() { return !settled.exchange(true); }

  const std::shared_ptr<AwaitedAnswer> awaited;
  Counter& late;
  std::atomic<bool> given{false};
  std::atomic<bool> settled{false};
};

// Held by whoever is asked: where the last one lets go of it, there is no answer.
struct Promise {
  std::shared_ptr<Pending> pending;
  ~Promise() { pending->give(std::nullopt); }
};

// What all sessions use.
struct Shared {
  Shared(const MilterSettings& given, Handler& asked, Metrics& metrics)
      : settings(given),
        limits{.protocol = {}, .message_bytes = static_cast<size_t>(given.message_bytes)},
        memory(std::make_shared<MessageMemory>(static_cast<size_t>(given.memory_bytes))),
        handler(asked),
        counters(metrics, given.name.empty() ? given.role : given.name) {
    metrics.before_text([held = memory, &shown = counters.memory] {
      shown.set(static_cast<double>(held->used()));
    });
  }

  Duration time_for(Stage stage) const {
    switch (stage) {
      case Stage::idle:
      case Stage::envelope: return settings.idle;
      case Stage::data: return std::max(settings.idle, kDataTime);
      case Stage::content: return kContentTime;
    }
    return settings.idle;
  }

  const MilterSettings settings;
  const Gathering::Limits limits;
  const std::shared_ptr<MessageMemory> memory;
  Handler& handler;
  MilterCounters counters;
  const SystemClock clock = {};
  std::atomic<size_t> connections{0};
  std::atomic<bool> told_full{false};
  std::atomic<bool> told_left_out{false};
};

// One conversation: the session and what it is driven with. `shared` outlives it: the listeners
// wait for all of them.
struct Talk {
  Talk(net::Connection connection, Shared& common)
      : link(std::move(connection)),
        shared(common),
        session(shared.limits, shared.memory, shared.handler) {
    shared.counters.open.set(static_cast<double>(++shared.connections));
  }
  ~Talk() {
    count();
    shared.counters.open.set(static_cast<double>(--shared.connections));
  }
  Talk(const Talk&) = delete;
  Talk& operator=(const Talk&) = delete;

  bool too_many() const {
    return shared.connections > static_cast<size_t>(shared.settings.connections);
  }
  // For the next frame, or for all of the content: one that drips single bytes gains nothing.
  Duration patience() {
    const bool new_stage = until == Steady::time_point{} || stage != session.stage();
    if (new_stage || (stage != Stage::content && turn != session.turn())) {
      stage = session.stage();
      turn = session.turn();
      until = Steady::now() + shared.time_for(stage);
    }
    const auto left = std::chrono::duration_cast<Duration>(until - Steady::now());
    return std::max(left, Duration(0));
  }
  void count() { shared.counters.add(session.counts(), seen); }

  net::Connection link;
  Shared& shared;
  MilterSession session;
  Stage stage = Stage::idle;
  uint64_t turn = 0;
  Steady::time_point until{};
  MilterSession::Counts seen;
};

// false where the connection is over.
net::Task<bool> take_input(Talk& talk) {
  const auto count = co_await talk.link.read_some(talk.session.room(), talk.patience());
  MilterCounters& counters = talk.shared.counters;
  const bool in_message = talk.session.stage() != Stage::idle;
  if (count && *count > 0) {
    talk.session.put(*count);
    co_return true;
  }
  if (!count && count.error().code == Code::timed_out) {
    (in_message ? counters.too_slow : counters.idle).add();
    log_debug("milter", "{} was too slow", talk.link.peer());
    co_return false;
  }
  if (in_message) counters.vanished.add();
  if (!count) co_return false;
  talk.session.end_of_input();
  co_return true;
}

std::shared_ptr<Pending> ask(Talk& talk) {
  const auto pending = std::make_shared<Pending>(AwaitedAnswer::make(talk.link.executor()),
                                                 talk.shared.counters.late);
  const auto promise = std::make_shared<Promise>(pending);
  talk.shared.handler.at_end(talk.session.message(), [promise](Answer answer) {
    return promise->pending->give(std::move(answer));
  });
  return pending;
}

// What to tell it, or nothing where the mail server has gone.
using Judgement = std::variant<std::monostate, Answer, Trouble>;

net::Task<Judgement> judgement_on(Talk& talk) {
  const Duration progress_every = talk.shared.settings.progress;
  auto deadline = Steady::now() + talk.shared.settings.deadline;
  auto next_progress = Steady::now() + progress_every;
  const auto pending = ask(talk);
  const AwaitedAnswer::Leaving at_end{pending->awaited};
  std::string progress;
  add_frame(progress, MilterReply::progress);
  for (;;) {
    const auto until = std::min(next_progress, deadline);
    auto answer = co_await AwaitedAnswer::wait(pending->awaited, until);
    if (answer && *answer) co_return std::move(**answer);
    if (answer) {
      talk.shared.counters.unanswered.add();
      co_return Trouble::internal;
    }
    if (Steady::now() >= deadline) {
      if (pending->give_up()) break;
      deadline += std::chrono::milliseconds(10);  // it is on its way
      continue;
    }
    const auto sent = co_await talk.link.write_all(progress, kWriteTime);
    if (!sent) co_return Judgement{};
    next_progress += progress_every;
  }
  talk.shared.counters.deadline_missed.add();
  co_return Trouble::deadline;
}

// false where the connection is over.
net::Task<bool> judge(Talk& talk) {
  const auto started = Steady::now();
  const Judgement judgement = co_await judgement_on(talk);
  if (const auto* answer = std::get_if<Answer>(&judgement)) {
    const uint64_t before = talk.session.counts().unsendable;
    talk.session.conclude(*answer);
    if (talk.session.counts().unsendable != before) {
      log_error("milter", "an answer cannot be sent: {}", talk.session.last_unsendable());
    }
  } else if (const auto* trouble = std::get_if<Trouble>(&judgement)) {
    talk.session.conclude(*trouble);
  } else {
    talk.shared.counters.vanished.add();
    co_return false;
  }
  talk.shared.counters.latency.observe(
      std::chrono::duration<double>(Steady::now() - started).count());
  co_return true;
}

net::Task<bool> write_replies(Talk& talk) {
  const std::string replies = talk.session.take_replies();
  const auto sent = co_await talk.link.write_all(replies, kWriteTime);
  co_return sent.has_value();
}

void tell_fault(const Talk& talk) {
  const auto& fault = talk.session.fault();
  if (!fault) return;
  talk.shared.counters.garbage(fault->kind);
  log_warning("milter", "{} does not speak the milter protocol: {}: {}", talk.link.peer(),
              name_of(fault->kind), fault->what);
}

void tell_left_out(const Talk& talk) {
  const MilterSession::Counts& counts = talk.session.counts();
  if (counts.changes_left_out == 0 && counts.removals_put_off == 0) return;
  if (talk.shared.told_left_out.exchange(true)) return;
  log_warning("milter",
              "the mail server at {} does not offer all that verdicts need: {} changes of headers "
              "were left out, {} messages put off because recipients could not be taken out",
              talk.link.peer(), counts.changes_left_out, counts.removals_put_off);
}

net::Task<void> converse(Talk& talk) {
  for (bool going_on = true; going_on;) {
    switch (talk.session.advance(talk.shared.clock.now())) {
      case MilterSession::Next::read: going_on = co_await take_input(talk); break;
      case MilterSession::Next::write: going_on = co_await write_replies(talk); break;
      case MilterSession::Next::judge: going_on = co_await judge(talk); break;
      case MilterSession::Next::close: going_on = false; break;
    }
    talk.count();
  }
  tell_fault(talk);
  tell_left_out(talk);
}

net::Task<void> serve(net::Connection link, Shared* shared) {
  Talk talk(std::move(link), *shared);
  if (talk.too_many()) {
    shared->counters.too_many.add();
    if (!shared->told_full.exchange(true)) {
      log_warning("milter", "{} connections of mail servers are open, and no more are taken",
                  shared->settings.connections);
    }
    co_return;
  }
  shared->counters.connections.add();
  talk.link.acknowledge_at_once();
  co_await converse(talk);
}

}  // namespace

struct MilterServer::Service final : Shared {
  using Shared::Shared;
  // Of the derived, so that they go first: sessions use the rest.
  std::vector<std::unique_ptr<net::Listener>> listeners = {};
};

MilterServer::MilterServer(std::shared_ptr<Service> service) : service_(std::move(service)) {}
MilterServer::~MilterServer() = default;

Result<std::unique_ptr<MilterServer>> MilterServer::open(net::Io& io,
                                                         const MilterSettings& settings,
                                                         Handler& handler, Metrics& metrics) {
  if (const auto fine = check(settings); !fine) return fail(fine.error());
  const auto mode = net::parse_socket_mode(settings.socket_mode);
  if (!mode) return fail(mode.error());
  auto service = std::make_shared<Service>(settings, handler, metrics);
  Shared* const shared = service.get();
  for (const std::string& at : settings.listen) {
    // A few more, so that those which are turned away are counted here.
    auto listener = net::Listener::open(
        io, at, [shared](net::Connection link) { return serve(std::move(link), shared); },
        {.connections = static_cast<size_t>(settings.connections) + kTurnedAway,
         .unix_mode = *mode});
    if (!listener) return fail(listener.error());
    service->listeners.push_back(std::move(*listener));
  }
  return std::unique_ptr<MilterServer>(new MilterServer(std::move(service)));
}

uint16_t MilterServer::port() const {
  uint16_t port = 0;
  for (const auto& listener : service_->listeners) {
    if (listener->port() != 0) port = listener->port();
  }
  return port;
}

std::string MilterServer::state() const {
  std::vector<std::string> at = service_->settings.listen;
  for (size_t i = 0; i < at.size(); ++i) {
    const uint16_t port = service_->listeners[i]->port();
    if (port != 0) at[i] = fmt::format("{}:{}", at[i].substr(0, at[i].rfind(':')), port);
  }
  const std::string where = fmt::format("listening on {}", fmt::join(at, ", "));
  const uint64_t messages = service_->counters.messages();
  if (messages == 0) return where + "; no message has come yet";
  return fmt::format("{}; {} connections, {} messages, {} of {} bytes in use", where,
                     service_->connections.load(), messages, service_->memory->used(),
                     service_->settings.memory_bytes);
}

}  // namespace watchpost::border
