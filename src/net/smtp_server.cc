#include "net/smtp_server.h"

#include "base/log.h"
#include "net/address.h"
#include "net/awaited.h"
#include "net/listener.h"
#include "net/smtp_counters.h"
#include "net/tls.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <unistd.h>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace watchpost::net {
namespace {

using Steady = std::chrono::steady_clock;

// Small while little is known of the client: ten thousand of them must fit. Large once it sends a
// message that is.
constexpr size_t kSmallRead = 8 * 1024;
constexpr size_t kLargeRead = 64 * 1024;
constexpr size_t kLargeMessage = 32 * 1024;
constexpr Duration kLastAnswerTime = std::chrono::seconds(2);
constexpr Duration kHandshakeTime = std::chrono::seconds(10);  // at most
// Past the cap on connections so many are still told why; more are closed without a word.
constexpr size_t kToldWhy = 64;

std::string machine_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0 || !is_helo_name(name.data())) {
    return "localhost";
  }
  return name.data();
}

// What a session needs; it does not hold the listeners, which wait for it.
struct Service {
  Service(const SmtpServerSettings& given, MailHandler handing, AllowedPeers peers,
          Metrics& metrics)
      : settings(given),
        limits(given.limits()),
        handler(std::move(handing)),
        allowed(std::move(peers)),
        counters(metrics, given.protocol),
        server{.protocol = given.protocol == "smtp" ? MailProtocol::smtp : MailProtocol::lmtp,
               .name = given.hostname.empty() ? machine_name() : given.hostname,
               .offers_tls = false} {}

  bool allows(const Connection& link) const {
    if (link.over_unix()) return true;
    const auto peer = parse_host_port(link.peer());
    const auto address = peer ? parse_ip_address(peer->host) : std::nullopt;
    return address && allowed.allow(*address);
  }
  Duration time_for(SmtpSession::Stage stage) const {
    switch (stage) {
      case SmtpSession::Stage::idle: return settings.idle_time;
      case SmtpSession::Stage::command: return settings.command_time;
      case SmtpSession::Stage::transaction: return settings.transaction_time;
      case SmtpSession::Stage::content: return settings.message_time;
    }
    return settings.command_time;
  }

  std::shared_ptr<const TlsIdentity> shown() const {
    const std::lock_guard lock(mutex);
    return identity;
  }
  void show(std::shared_ptr<const TlsIdentity> other) {
    const std::lock_guard lock(mutex);
    identity.swap(other);
  }

  const SmtpServerSettings settings;
  const SmtpLimits limits;
  const MailHandler handler;
  const AllowedPeers allowed;
  SmtpCounters counters;
  SmtpSession::Server server;
  mutable std::mutex mutex;
  std::shared_ptr<const TlsIdentity> identity;  // under it
  std::atomic<size_t> held{0};                  // bytes of all messages in hand
  std::atomic<size_t> connections{0};
};

// A session's share of what all of them may hold.
class Share {
 public:
  explicit Share(std::shared_ptr<Service> service) : service_(std::move(service)) {
    ++service_->connections;
  }
  ~Share() {
    set(0);
    --service_->connections;
  }
  Share(const Share&) = delete;
  Share& operator=(const Share&) = delete;

  void set(size_t bytes) {
    service_->held += bytes;
    service_->held -= bytes_;
    bytes_ = bytes;
  }
  bool too_much() const {
    return service_->held > static_cast<size_t>(service_->settings.memory_bytes);
  }
  bool too_many() const {
    return service_->connections > static_cast<size_t>(service_->settings.connections);
  }

 private:
  std::shared_ptr<Service> service_;
  size_t bytes_ = 0;
};

// One conversation: the session and what it is driven with.
struct Talk {
  Talk(Connection connection, std::shared_ptr<Service> serving)
      : link(std::move(connection)),
        service(std::move(serving)),
        session(service->server, service->limits),
        share(service) {}
  ~Talk() { count(); }
  Talk(const Talk&) = delete;
  Talk& operator=(const Talk&) = delete;

  // How long the client may go on taking its time. It is for the whole stage: one that drips single
  // bytes gains nothing.
  Duration patience() {
    if (until == Steady::time_point{} || stage != session.stage() || turn != session.turn()) {
      stage = session.stage();
      turn = session.turn();
      until = Steady::now() + service->time_for(stage);
    }
    const auto left = std::chrono::duration_cast<Duration>(until - Steady::now());
    return std::max(left, Duration(0));
  }
  std::span<char> place_for_input() {
    const bool large =
        session.stage() == SmtpSession::Stage::content && session.held() > kLargeMessage;
    const size_t wanted = large ? kLargeRead : kSmallRead;
    if (bytes.size() != wanted) bytes = std::vector<char>(wanted);
    return std::span(bytes).first(std::min(wanted, session.room()));
  }
  void count() { service->counters.add(session.refused(), seen); }
  void weigh() {
    share.set(session.held());
    session.set_storage_full(share.too_much());
  }

  Connection link;
  std::shared_ptr<Service> service;
  SmtpSession session;
  Share share;
  std::vector<char> bytes;
  SmtpSession::Stage stage = SmtpSession::Stage::idle;
  uint64_t turn = 0;
  Steady::time_point until{};
  SmtpSession::Refused seen;
};

// false where the connection is over.
Task<bool> take_input(Talk& talk) {
  const auto count = co_await talk.link.read_some(talk.place_for_input(), talk.patience());
  if (!count && count.error().code == Code::timed_out) {
    talk.service->counters.too_slow.add();
    talk.session.hang_up("too slow");
    co_return true;
  }
  if (!count || *count == 0) {
    if (talk.session.stage() == SmtpSession::Stage::content) {
      talk.service->counters.broken_off.add();
    }
    co_return false;
  }
  talk.session.put(std::string_view(talk.bytes.data(), *count));
  talk.weigh();
  co_return true;
}

Task<MailOutcome> outcome_of(ReceivedMail mail, std::shared_ptr<Service> service,
                             asio::any_io_executor strand) {
  using AwaitedOutcome = Awaited<MailOutcome>;
  const auto awaited = AwaitedOutcome::make(strand);
  const AwaitedOutcome::Leaving at_end{awaited};
  {
    const auto promise = std::make_shared<AwaitedOutcome::Promise>(awaited, MailOutcome{});
    service->handler(std::move(mail), [promise](MailOutcome outcome) {
      promise->awaited->answer(std::move(outcome));
    });
  }
  auto outcome =
      co_await AwaitedOutcome::wait(awaited, Steady::now() + service->settings.answer_time);
  if (outcome) co_return std::move(*outcome);
  service->counters.unanswered.add();
  co_return MailOutcome{};
}

Task<void> hand_over(Talk& talk) {
  ReceivedMail mail = talk.session.take_mail();
  mail.peer = talk.link.peer();
  talk.service->counters.received_bytes.add(mail.bytes.size());
  // In other hands, and in memory all the same until it is answered for.
  talk.share.set(talk.session.held() + mail.bytes.capacity());
  const MailOutcome outcome =
      co_await outcome_of(std::move(mail), talk.service, talk.link.executor());
  talk.service->counters.concluded(outcome.kind);
  talk.session.conclude(outcome);
  talk.weigh();
}

Task<bool> start_tls(Talk& talk) {
  const Duration patience = std::min(kHandshakeTime, talk.service->settings.command_time);
  auto started = co_await talk.link.start_tls(talk.service->shown(), patience);
  if (!started) {
    talk.service->counters.tls_failed.add();
    log_debug("mail", "no TLS with {}: {}", talk.link.peer(), started.error().what);
    co_return false;
  }
  talk.service->counters.sessions_under_tls.add();
  talk.session.tls_started(std::move(*started));
  co_return true;
}

Task<void> converse(Talk& talk) {
  for (;;) {
    bool going_on = true;
    switch (talk.session.advance()) {
      case SmtpSession::Next::read: going_on = co_await take_input(talk); break;
      case SmtpSession::Next::write: {
        const std::string replies = talk.session.take_replies();
        talk.count();
        const auto sent =
            co_await talk.link.write_all(replies, talk.service->settings.command_time);
        going_on = sent.has_value();
        break;
      }
      case SmtpSession::Next::mail: co_await hand_over(talk); break;
      case SmtpSession::Next::tls: going_on = co_await start_tls(talk); break;
      case SmtpSession::Next::close:
        co_await talk.link.finish(kLastAnswerTime);
        going_on = false;
        break;
    }
    if (!going_on) co_return;
  }
}

Task<void> turn_away(Connection& link, std::string_view answer) {
  const auto sent = co_await link.write_all(answer, kLastAnswerTime);
  if (sent) co_await link.finish(kLastAnswerTime);
}

Task<void> serve(Connection link, std::shared_ptr<Service> service) {
  Talk talk(std::move(link), service);
  if (!service->allows(talk.link)) {
    service->counters.not_allowed.add();
    log_debug("mail", "{} may not hand in mail here", talk.link.peer());
    co_await turn_away(talk.link, "554 5.7.1 this client may not hand in mail\r\n");
    co_return;
  }
  if (talk.share.too_many()) {
    service->counters.too_many.add();
    co_await turn_away(talk.link, "421 4.3.2 too many connections\r\n");
    co_return;
  }
  service->counters.sessions.add();
  co_await converse(talk);
}

}  // namespace

struct SmtpServer::State {
  std::shared_ptr<Service> service;
  std::vector<std::unique_ptr<Listener>> listeners;
  uint16_t port = 0;
};

SmtpServer::SmtpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
SmtpServer::~SmtpServer() = default;

Result<std::function<void()>> SmtpServer::read_identity_anew() const {
  const auto& service = state_->service;
  if (service->settings.certificate.empty()) return [] {};
  auto read = TlsIdentity::load(service->settings.certificate, service->settings.key);
  if (!read) return fail(read.error());
  return [service, identity = std::move(*read)] { service->show(identity); };
}

uint16_t SmtpServer::port() const { return state_->port; }
size_t SmtpServer::connections() const { return state_->service->connections; }
size_t SmtpServer::memory_in_use() const { return state_->service->held; }

Result<std::unique_ptr<SmtpServer>> SmtpServer::open(Io& io, const SmtpServerSettings& settings,
                                                     MailHandler handler, Metrics& metrics) {
  if (const auto fine = settings.check(); !fine) return fail(fine.error());
  auto allowed = AllowedPeers::from(settings.allow);
  const auto mode = parse_socket_mode(settings.socket_mode);
  if (!allowed || !mode) return fail(allowed ? mode.error() : allowed.error());
  auto state = std::make_unique<State>();
  const auto service =
      std::make_shared<Service>(settings, std::move(handler), std::move(*allowed), metrics);
  state->service = service;
  if (!settings.certificate.empty()) {
    auto identity = TlsIdentity::load(settings.certificate, settings.key);
    if (!identity) return fail(identity.error());
    service->show(std::move(*identity));
    service->server.offers_tls = true;
  }
  for (const std::string& at : settings.listen) {
    auto listener = Listener::open(
        io, at, [service](Connection link) { return serve(std::move(link), service); },
        {.connections = static_cast<size_t>(settings.connections) + kToldWhy, .unix_mode = *mode});
    if (!listener) return fail(listener.error());
    if ((*listener)->port() != 0) state->port = (*listener)->port();
    state->listeners.push_back(std::move(*listener));
  }
  return std::unique_ptr<SmtpServer>(new SmtpServer(std::move(state)));
}

}  // namespace watchpost::net
