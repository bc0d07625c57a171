#include "enforce/enforcers/postfix_policy.h"

#include "base/log.h"
#include "base/text.h"
#include "enforce/enforcers/policy_judge.h"
#include "enforce/enforcers/policy_protocol.h"
#include "net/address.h"
#include "net/listener.h"

#include <algorithm>
#include <atomic>
#include <chrono>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace watchpost::enforce {
namespace {

constexpr size_t kLongestContact = 100;

// It goes out on the wire: printable ASCII, short.
Result<Done> check_contact(std::string_view contact) {
  const bool plain = std::ranges::all_of(contact, [](char c) { return c >= ' ' && c < 0x7F; });
  if (plain && contact.size() <= kLongestContact) return Done{};
  return fail(Code::bad_input,
              fmt::format("must be printable ASCII of at most {} bytes", kLongestContact),
              "contact");
}

}  // namespace

struct PostfixPolicy::Service {
  Service(const std::string& name, const PostfixPolicySettings& given,
          const EnforcerContext& context_given)
      : settings(given),
        context(context_given),
        requests(context.metrics.counter("watchpost_policy_requests", "Policy requests answered.",
                                         {{"enforcer", name}})),
        refused(context.metrics.counter("watchpost_policy_refused",
                                        "Policy requests refused because of a decision.",
                                        {{"enforcer", name}})),
        suppressed(context.metrics.counter("watchpost_policy_suppressed",
                                           "Policy requests refused because the recipient is "
                                           "suppressed.",
                                           {{"enforcer", name}})),
        garbage(context.metrics.counter(
            "watchpost_policy_garbage",
            "Connections closed because they did not speak the protocol.", {{"enforcer", name}})),
        latency(context.metrics.histogram("watchpost_policy_latency_seconds",
                                          "From a whole request to its answer.",
                                          {{"enforcer", name}})) {}

  std::string answer(const PolicyRequest& request);
  std::string judged(const PolicyRequest& request, Time now);

  const PostfixPolicySettings settings;
  const EnforcerContext context;
  DecisionJudge decisions;
  Counter& requests;
  Counter& refused;
  Counter& suppressed;
  Counter& garbage;
  Histogram& latency;
  std::atomic<Time::rep> last_asked{0};
  // Last, so that they go first: sessions use what is above.
  std::vector<std::unique_ptr<net::Listener>> listeners = {};
};

std::string PostfixPolicy::Service::judged(const PolicyRequest& request, Time now) {
  const auto active = context.active.get();
  const bool looks_at_list = settings.suppressions && context.suppressed != nullptr;
  if (active->all().empty() && !looks_at_list) return std::string(kNoOpinion);
  EventBatch batch;
  const Event& event = event_of(request, context.mapping, batch);
  const std::string& instance = request[PolicyAttribute::instance];
  if (const Decision* const decision = decisions.refusing(*active, event, instance, now)) {
    refused.add();
    return action_for(*decision, settings.contact);
  }
  if (!looks_at_list ||
      !context.suppressed->holding(event[Field::customer], event[Field::recipient], now)) {
    return std::string(kNoOpinion);
  }
  suppressed.add();
  return suppress::marked(settings.suppression_reply,
                          context.reply_tags->mark_of(event[Field::recipient]));
}

std::string PostfixPolicy::Service::answer(const PolicyRequest& request) {
  const auto started = std::chrono::steady_clock::now();
  const Time now = context.clock.now();
  std::string reply = policy_reply(judged(request, now));
  requests.add();
  last_asked.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  latency.observe(
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count());
  return reply;
}

// `service` outlives all sessions: its listeners wait for them. It is not shared with them, since a
// session that held the last share would wait for itself.
template <class Service>
net::Task<void> serve(net::Connection link, Service* service) {
  PolicyReader reader;
  std::array<char, 4096> bytes;
  for (;;) {
    const auto count = co_await link.read_some(bytes, service->settings.idle);
    if (!count || *count == 0) co_return;
    reader.feed({bytes.data(), *count});
    for (;;) {
      auto request = reader.next();
      if (!request) {
        service->garbage.add();
        log_warning("policy", "{} does not speak the policy protocol: {}", link.peer(),
                    request.error().text());
        co_return;
      }
      if (!request->has_value()) break;
      const std::string reply = service->answer(**request);
      const auto sent = co_await link.write_all(reply, std::chrono::seconds(10));
      if (!sent) co_return;
    }
  }
}

void PostfixPolicySettings::describe(SettingsVisitor& visit) {
  visit.setting({.name = "listen",
                 .help = "where Postfix asks: `127.0.0.1:8891`, `[::1]:8891`, "
                         "`unix:/run/watchpost/policy.sock`",
                 .required = true},
                &listen);
  visit.setting({.name = "socket_mode",
                 .help = "file mode of UNIX sockets; Postfix's user must be able to write"},
                &socket_mode);
  visit.setting({.name = "contact",
                 .help = "stands in refusals: an address or URL for the people who are refused; "
                         "may be empty"},
                &contact);
  visit.setting({.name = "connections",
                 .help = "connections at once; each smtpd process of Postfix holds one",
                 .least = 1,
                 .most = 100'000},
                &connections);
  visit.setting({.name = "idle",
                 .help = "a connection that asks nothing for so long is closed",
                 .least = 1,
                 .most = 86'400},
                &idle);
  visit.setting({.name = "suppressions",
                 .help = "refuses recipients that are suppressed for the customer who mails them, "
                         "or for everybody"},
                &suppressions);
  visit.setting({.name = "suppression_reply",
                 .help = "how: code, enhanced status, text; the mark `(watchpost suppression "
                         "...)` is added"},
                &suppression_reply);
}

Result<Done> PostfixPolicySettings::check() const {
  if (const auto mode = net::parse_socket_mode(socket_mode); !mode) return fail(mode.error());
  if (listen.empty()) return fail(Code::bad_input, "names no address", "listen");
  for (const std::string& at : listen) {
    if (const auto address = net::parse_listen(at); !address) {
      return fail(Code::bad_input, address.error().what, "listen");
    }
  }
  if (const auto fine = suppress::check_reply(suppression_reply); !fine) {
    return fail(Code::bad_input, fine.error().what, "suppression_reply");
  }
  return check_contact(contact);
}

Result<std::unique_ptr<PostfixPolicy>> PostfixPolicy::open(const std::string& name,
                                                           const PostfixPolicySettings& settings,
                                                           const EnforcerContext& context) {
  if (const auto fine = settings.check(); !fine) return fail(fine.error());
  const auto mode = net::parse_socket_mode(settings.socket_mode);
  if (!mode) return fail(mode.error());
  std::unique_ptr<PostfixPolicy> made(new PostfixPolicy());
  made->service_ = std::make_shared<Service>(name, settings, context);
  Service* const service = made->service_.get();
  for (const std::string& at : settings.listen) {
    auto listener = net::Listener::open(
        context.io, at, [service](net::Connection link) { return serve(std::move(link), service); },
        {.connections = static_cast<size_t>(settings.connections), .unix_mode = *mode});
    if (!listener) return fail(listener.error());
    service->listeners.push_back(std::move(*listener));
  }
  return made;
}

PostfixPolicy::~PostfixPolicy() = default;

Result<Done> PostfixPolicy::can(const Decision& decision) const { return tellable(decision.scope); }
Result<Done> PostfixPolicy::apply(const Decision&, Duration) { return Done{}; }
Result<Done> PostfixPolicy::undo(const Decision&, Duration) { return Done{}; }

std::string PostfixPolicy::state() const {
  std::vector<std::string> at = service_->settings.listen;
  size_t connections = 0;
  for (size_t i = 0; i < at.size(); ++i) {
    const net::Listener& listener = *service_->listeners[i];
    connections += listener.connections();
    if (listener.port() != 0) {
      at[i] = fmt::format("{}:{}", at[i].substr(0, at[i].rfind(':')), listener.port());
    }
  }
  const std::string where = fmt::format("listening on {}", fmt::join(at, ", "));
  const auto last = service_->last_asked.load(std::memory_order_relaxed);
  if (last == 0) return where + "; Postfix has not asked yet";
  const Duration ago = service_->context.clock.now() - Time(Duration(last));
  return fmt::format(
      "{}; {} connections, {} requests, last asked {} ago", where, connections,
      service_->requests.value(),
      format_duration(std::chrono::floor<std::chrono::seconds>(std::max(ago, Duration{0}))));
}

uint16_t PostfixPolicy::port() const {
  uint16_t port = 0;
  for (const auto& listener : service_->listeners) {
    if (listener->port() != 0) port = listener->port();
  }
  return port;
}

const EnforcerKind kPostfixPolicy{
    .name = "postfix_policy",
    .summary =
        "answers Postfix's policy requests: refuses or slows mail by login, customer, "
        "sender domain, client address or recipient",
    .hostile = true,
    .settings = []() -> std::unique_ptr<EnforcerKind::Settings> {
      return std::make_unique<PostfixPolicySettings>();
    },
    .make = [](std::string name, const EnforcerKind::Settings& settings,
               const EnforcerContext& context) -> Result<std::unique_ptr<Enforcer>> {
      auto made =
          PostfixPolicy::open(name, dynamic_cast<const PostfixPolicySettings&>(settings), context);
      if (!made) return fail(made.error());
      return std::unique_ptr<Enforcer>(std::move(*made));
    },
    .can = [](const EnforcerKind::Settings&,
              const Decision& decision) { return tellable(decision.scope); },
};

}  // namespace watchpost::enforce
