#include "base/text.h"
#include "border/gate.h"
#include "cli/answer.h"
#include "cli/command.h"
#include "cli/identity_json.h"
#include "cli/message_bytes.h"
#include "cli/outside_world.h"
#include "cli/verdict_text.h"
#include "config/configuration.h"
#include "enforce/active.h"
#include "feedback/mapping.h"
#include "relate/reputation_file.h"
#include "store/store.h"

#include <chrono>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

struct ReplayOptions {
  std::vector<std::string> files;
  std::string ip, helo, mail_from, login, zone, now;
  std::vector<std::string> recipients;
  std::string mode = "enforce";
};

class FixedClock final : public Clock {
 public:
  explicit FixedClock(Time at) : at_(at) {}
  Time now() const override { return at_; }

 private:
  Time at_;
};

// Keeps the events and verdicts that a gate would have stored. It offers them behind its answer,
// perhaps on another thread.
class LastArrival final : public ingest::EventSink {
 public:
  bool deliver(ingest::Arrival arrival) override {
    const std::lock_guard lock(mutex_);
    last_ = std::move(arrival);
    come_.notify_all();
    return true;
  }
  std::optional<ingest::Arrival> wait() {
    std::unique_lock lock(mutex_);
    come_.wait_for(lock, std::chrono::seconds(10), [this] { return last_.has_value(); });
    return std::exchange(last_, std::nullopt);
  }

 private:
  std::mutex mutex_;
  std::condition_variable come_;
  std::optional<ingest::Arrival> last_;
};

// Everything that a gate is made with, as the daemon of this configuration has it now.
struct Border {
  std::optional<OutsideWorld> world;
  border::RulesSnapshot rules;
  enforce::ActiveSnapshot active;
  feedback::Mapping mapping;
  std::unique_ptr<relate::Reputation> reputation;
  LastArrival arrivals;
  std::unique_ptr<Clock> clock = std::make_unique<SystemClock>();
  Metrics metrics;
  std::unique_ptr<border::Handler> gate;
};

// Decisions and reputation lie in the data folder. Where that cannot be read there are none: then
// the message is judged by the rules alone.
void take_what_is_known(const config::Configuration& configuration, Border& made) {
  made.reputation = std::make_unique<relate::Reputation>(configuration.reputation);
  const auto saved = config::file_text(relate::reputation_path(configuration.store.path));
  if (saved) (void)made.reputation->restore(*saved);
  const auto reader = store::Reader::open(configuration.store);
  if (!reader) return;
  auto decisions = (*reader)->decisions();
  if (!decisions) return;
  made.active.set(std::make_shared<const enforce::ActiveDecisions>(std::move(*decisions)));
}

Result<Done> make_gate(const Session& session, const ReplayOptions& given, Border& made) {
  auto world = OutsideWorld::of(session, given.zone);
  if (!world) return fail(world.error());
  made.world.emplace(std::move(*world));
  const auto configuration = configuration_of(session);
  if (!configuration) return fail(configuration.error());
  made.rules.set(config::border_rules(*configuration));
  auto mapping = feedback::Mapping::from(configuration->maps);
  if (!mapping) return fail(mapping.error());
  made.mapping = std::move(*mapping);
  take_what_is_known(*configuration, made);
  if (!given.now.empty()) {
    const auto at = parse_time(given.now);
    if (!at) return fail(Code::bad_input, "is no time, for example 2026-11-24T12:00:00Z", "--now");
    made.clock = std::make_unique<FixedClock>(*at);
  }
  const auto mode = mode_from(given.mode);
  if (!mode) return fail(mode.error());
  const border::BorderContext context{.rules = made.rules,
                                      .resolver = made.world->resolver(),
                                      .budget = [&made] { return made.world->message_budget(); },
                                      .active = made.active,
                                      .mapping = made.mapping,
                                      .reputation = *made.reputation,
                                      .events = made.arrivals,
                                      .storing = [] { return true; },
                                      .clock = *made.clock,
                                      .metrics = made.metrics};
  made.gate = given.login.empty() ? border::inbound_gate("replay", *mode, context)
                                  : border::outbound_gate("replay", *mode, context);
  return Done{};
}

std::string with_crlf(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) out += '\r';
    out += text[i];
  }
  return out;
}

Result<std::shared_ptr<border::Transaction>> transaction_of(const ReplayOptions& given,
                                                            const std::string& bytes, Time now) {
  auto made = std::make_shared<border::Transaction>();
  if (!given.ip.empty()) {
    made->client_ip = parse_ip_address(given.ip);
    if (!made->client_ip) {
      return fail(Code::bad_input, fmt::format("`{}` is no IP address", escaped(given.ip, 64)),
                  "--ip");
    }
  }
  made->client_name = "unknown";
  made->helo = given.helo;
  made->mail_from = fmt::format("<{}>", given.mail_from);
  for (const std::string& one : given.recipients) {
    made->recipients.push_back({.address = one, .arguments = {}, .refused = false});
  }
  made->macros["i"] = "replay";
  if (!given.login.empty()) made->macros["auth_authen"] = given.login;
  made->message = with_crlf(bytes);
  made->size = made->message.size();
  made->began = now;
  return made;
}

// Recipients first, as a mail server would ask; then the message.
border::Answer asked(border::Handler& gate, std::shared_ptr<border::Transaction> message) {
  if (!gate.looks_at(*message)) return {};
  for (const border::Recipient& one : message->recipients) {
    border::Answer answer = gate.at_recipient(*message, one);
    if (answer.kind != border::Answer::Kind::proceed) return answer;
  }
  const auto promise = std::make_shared<std::promise<border::Answer>>();
  std::future<border::Answer> answer = promise->get_future();
  gate.at_end(std::move(message), [promise](border::Answer given) {
    promise->set_value(std::move(given));
    return true;
  });
  return answer.get();
}

std::string_view name_of(border::Answer::Kind kind) {
  switch (kind) {
    case border::Answer::Kind::proceed: return "accept";
    case border::Answer::Kind::reject: return "reject";
    case border::Answer::Kind::tempfail: return "tempfail";
    case border::Answer::Kind::discard: return "discard";
  }
  return "";
}

std::string text_of(const border::HeaderChange& change) {
  using Kind = border::HeaderChange::Kind;
  switch (change.kind) {
    case Kind::remove: return fmt::format("- {} (number {})", change.name, change.place);
    case Kind::append:
    case Kind::insert: return fmt::format("+ {}: {}", change.name, change.value);
  }
  return {};
}

void show_text(const Session& session, const std::string& file, const border::Answer& answer,
               const std::optional<Object>& verdict) {
  const Terminal& terminal = session.terminal;
  terminal.line(fmt::format("{}: the mail server is told {}{}", escaped(file), name_of(answer.kind),
                            answer.reply.empty() ? "" : ": " + escaped(answer.reply)));
  for (const border::HeaderChange& change : answer.header) {
    const std::string field = text_of(change);  // what the lines are views of
    for (const std::string_view line : split(field, '\n')) terminal.line("    " + escaped(line));
  }
  if (!verdict) return;
  const Object kept{{"at", text(*verdict, "at")}, {"verdict", *verdict}};  // as /v1/verdicts has it
  for (const std::string& line : verdict_lines(kept, terminal)) terminal.line(line);
}

void show_json(const Session& session, const std::string& file, const border::Answer& answer,
               const std::optional<Object>& verdict) {
  boost::json::array header;
  for (const border::HeaderChange& change : answer.header) {
    header.emplace_back(utf8(text_of(change)));
  }
  Object one{{"file", utf8(file)},
             {"answer", name_of(answer.kind)},
             {"reply", answer.reply},
             {"header", std::move(header)}};
  if (verdict) one["verdict"] = *verdict;
  session.terminal.json(boost::json::serialize(one));
}

Result<Done> replay_one(const Session& session, const ReplayOptions& given, Border& border,
                        const std::string& file) {
  const auto bytes = message_bytes(file);
  if (!bytes) return fail(bytes.error());
  auto message = transaction_of(given, *bytes, border.clock->now());
  if (!message) return fail(message.error());
  const border::Answer answer = asked(*border.gate, std::move(*message));
  std::optional<Object> verdict;
  const auto arrival =
      given.mode == watchpost::name_of(Mode::off) ? std::nullopt : border.arrivals.wait();
  if (arrival && !arrival->verdicts.empty()) {
    boost::system::error_code error;
    auto document = boost::json::parse(arrival->verdicts.front().json, error);
    if (!error && document.is_object()) verdict = document.as_object();
  }
  (session.json() ? show_json : show_text)(session, file, answer, verdict);
  return Done{};
}

int replay(const Session& session, const ReplayOptions& given) {
  Border border;
  if (const auto made = make_gate(session, given, border); !made) {
    session.terminal.complain(made.error().text());
    return kFailed;
  }
  int code = kOk;
  for (const std::string& file : given.files) {
    if (const auto done = replay_one(session, given, border, file); !done) {
      session.terminal.complain(done.error().text());
      code = kFailed;
    }
  }
  return code;
}

void add_replay(CLI::App& line, Session& session) {
  const auto options = std::make_shared<ReplayOptions>();
  line.add_option("files", options->files, "Files of one message each; - is standard input")
      ->required();
  line.add_option("--ip", options->ip, "Address of the client that delivers it");
  line.add_option("--helo", options->helo, "What the client says at HELO or EHLO");
  line.add_option("--from", options->mail_from,
                  "The address of MAIL FROM; empty is the null sender of bounces");
  line.add_option("--to", options->recipients, "A recipient; may be given again");
  line.add_option("--login", options->login,
                  "Who the client has logged in as: then it is mail of a login, and the outbound "
                  "gate judges it");
  line.add_option("--mode", options->mode, "Mode of the milter")
      ->check(CLI::IsMember({"off", "shadow", "notify", "enforce"}))
      ->capture_default_str();
  line.add_option("--zone", options->zone,
                  "A master file (RFC 1035) whose answers take the place of DNS: what `watchpost "
                  "verdict QUEUEID --dns` prints judges the message by the answers of then");
  line.add_option("--now", options->now, "The time to judge at (default: now)");
  line.callback([&session, options] {
    session.action = [&session, options] { return replay(session, *options); };
  });
  line.footer(
      "Nothing is sent or stored, nobody's reputation changes. Example: watchpost milter replay "
      "mail.eml --ip 192.0.2.1 --helo mx.shop.example --from jo@shop.example --to me@example.org");
}

void add_milter(CLI::App& line, Session& session) {
  line.require_subcommand(1);
  CLI::App* const sub = line.add_subcommand(
      "replay", "Run a message through the gate as a mail server would, and say what it is told");
  sub->fallthrough();
  add_replay(*sub, session);
}

}  // namespace

constexpr Command kMilter{"milter", "Mail as it passes: try what becomes of a message", add_milter};

}  // namespace watchpost::cli
