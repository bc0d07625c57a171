#include "app/daemon.h"

#include "api/api.h"
#include "app/border.h"
#include "app/held_mail.h"
#include "app/outbox.h"
#include "base/log.h"
#include "base/metrics.h"
#include "cli/cli.h"
#include "config/warnings.h"
#include "dns/real_resolver.h"
#include "enforce/dispatcher.h"
#include "ingest/feedback_reader.h"
#include "ingest/intake.h"
#include "ingest/pipeline.h"
#include "ingest/reporters.h"
#include "ingest/sent_mail.h"
#include "ingest/supervisor.h"
#include "investigate/live_desk.h"
#include "net/http_server.h"

#include <algorithm>
#include <iterator>
#include <mutex>
#include <optional>
#include <random>

#include <fmt/format.h>

namespace watchpost::app {
namespace {

Result<std::vector<api::Token>> tokens_from(const config::ListenSettings& settings) {
  std::vector<api::Token> tokens;
  for (const config::TokenSettings& one : settings.tokens) {
    auto secret = config::secret_of(one.token, one.token_file);
    if (!secret) return fail(secret.error());
    const api::Role role = one.role == "responder" ? api::Role::responder
                           : one.role == "sender"  ? api::Role::sender
                                                   : api::Role::viewer;
    tokens.push_back({one.name, std::move(*secret), role, one.read_mail});
  }
  return tokens;
}

Result<std::optional<feedback::Classifier>> own_classifier(const std::string& path) {
  if (path.empty()) return std::nullopt;
  const auto text = config::file_text(path);
  if (!text) return fail(text.error());
  auto made = feedback::Classifier::from_toml(*text, path);
  if (!made) return fail(made.error());
  return std::optional(std::move(*made));
}

std::vector<std::string> listen_addresses(const config::ListenSettings& settings) {
  std::vector<std::string> addresses;
  if (!settings.socket.empty()) addresses.push_back("unix:" + settings.socket);
  if (!settings.api.empty()) addresses.push_back(settings.api);
  return addresses;
}

// Nobody outside may work out whom the list would take for whom.
uint64_t secret_seed() {
  std::random_device device;
  return (uint64_t{device()} << 32) | device();
}

void log_warnings(const config::Configuration& configuration) {
  for (const Error& one : config::warnings_of(configuration))
    log_warning("config", "{}", one.text());
}

// The first fault stands for all: they were all in the log or on the terminal before.
std::unexpected<Error> first_of(const config::Faults& faults) {
  Error first = faults.front();
  first.code = Code::refused;  // the request is right; what it asks for is not
  if (faults.size() > 1) first.what += fmt::format(" (and {} more faults)", faults.size() - 1);
  return fail(std::move(first));
}

}  // namespace

// In the order in which they are made; they go in the opposite one.
struct Daemon::Parts {
  Parts(config::Configuration read, std::string path)
      : configuration(std::move(read)), config_path(std::move(path)) {}

  Result<Done> make_readers();
  Result<Done> make_pipeline();
  Result<Done> make_held_mail();
  Result<Done> make_border();
  Result<Done> make_dispatcher();
  Result<Done> make_sources();
  Result<Done> make_api(Daemon& daemon);
  void start();
  void stop();
  // What the configuration says of mail as it passes, and what people have added to it.
  std::shared_ptr<const border::Rules> rules(const config::Configuration& wanted);
  // How mail that comes back is known again, and who is believed.
  void use(feedback::AttributionRules rules, const feedback::FeedbackSettings& settings);
  void use_exceptions();

  config::Configuration configuration;
  const std::string config_path;
  std::mutex reloading;
  SystemClock clock;
  Metrics metrics;
  std::optional<feedback::Classifier> classifier;  // the user's own rules
  std::shared_ptr<feedback::Countries> countries;  // nothing where there is no database
  feedback::Mapping mapping;
  net::Io io;
  std::shared_ptr<suppress::List> suppressed;
  enforce::ActiveSnapshot active;
  DispatchOutbox outbox{active};
  ingest::OwnFailures own_failures;
  std::unique_ptr<ingest::Pipeline> pipeline;
  std::unique_ptr<enforce::Dispatcher> dispatcher;
  std::optional<ingest::StoredSentMail> sent_mail;
  std::optional<ingest::FeedbackReader> feedback;
  std::optional<ingest::Reporters> reporters;
  std::unique_ptr<HeldMail> held;  // nothing where there is no quarantine
  std::unique_ptr<Border> border;
  // Behind those whom it resumes: its end ends their waits.
  std::unique_ptr<dns::RealResolver> resolver;
  std::optional<ingest::SourceContext> context;
  std::unique_ptr<ingest::Supervisor> supervisor;
  std::unique_ptr<ingest::Intake> intake;
  std::unique_ptr<investigate::Desk> desk;
  std::unique_ptr<api::Api> api;
  std::unique_ptr<net::HttpServer> server;
  bool running = false;
};

Result<Done> Daemon::Parts::make_readers() {
  auto own = own_classifier(configuration.events.reply_classes);
  if (!own) return fail(own.error());
  classifier = std::move(*own);
  auto places = feedback::Countries::from(configuration.geo);
  if (!places) return fail(places.error());
  countries = std::move(*places);
  auto made = feedback::Mapping::from(configuration.maps, countries);
  if (!made) return fail(made.error());
  mapping = std::move(*made);
  auto rules = config::attribution_rules(configuration);
  if (!rules) return fail(rules.error());
  const auto& classes = classifier ? *classifier : feedback::Classifier::shipped();
  sent_mail.emplace(configuration.store,
                    ingest::StoredSentMail::Options{.look_back = configuration.feedback.look_back},
                    own_failures, clock, metrics);
  feedback.emplace(std::make_shared<const feedback::AttributionRules>(std::move(*rules)), classes,
                   mapping, &*sent_mail, metrics);
  auto opened = dns::RealResolver::open(configuration.dns, clock, metrics);
  if (!opened) return fail(opened.error());
  resolver = std::move(*opened);
  metrics.before_text([this] { resolver->show(metrics); });
  reporters.emplace(
      configuration.feedback.reporters, *resolver, [this] { return resolver->message_budget(); },
      clock);
  context.emplace(
      ingest::SourceContext{classes, mapping, clock, &*feedback, &*reporters, &metrics});
  return Done{};
}

void Daemon::Parts::use(feedback::AttributionRules rules,
                        const feedback::FeedbackSettings& settings) {
  feedback->use(std::make_shared<const feedback::AttributionRules>(std::move(rules)));
  reporters->use(settings.reporters);
  sent_mail->use(settings.look_back);
}

Result<Done> Daemon::Parts::make_pipeline() {
  ingest::PipelineOptions options;
  options.store = configuration.store;
  options.limits = configuration.limits;
  options.decide = configuration.decide;
  options.detectors = configuration.rules;
  options.store_events = configuration.events.store;
  options.accepted_twice = std::ranges::any_of(configuration.milters, [](const auto& milter) {
    return milter.role == "outbound" && milter.mode != name_of(Mode::off);
  });
  options.own_failures = &own_failures;
  options.suppress = configuration.suppress_rules;
  suppressed = std::make_shared<suppress::List>(secret_seed());
  options.suppressed = suppressed;
  auto opened = ingest::Pipeline::open(std::move(options), outbox, clock, metrics);
  if (!opened) return fail(opened.error());
  pipeline = std::move(*opened);
  return Done{};
}

Result<Done> Daemon::Parts::make_held_mail() {
  if (!configuration.quarantine.there()) return Done{};
  auto made = HeldMail::make({.configuration = configuration,
                              .pipeline = *pipeline,
                              .active = active,
                              .clock = clock,
                              .metrics = metrics});
  if (!made) return fail(made.error());
  held = std::move(*made);
  return Done{};
}

std::shared_ptr<const border::Rules> Daemon::Parts::rules(const config::Configuration& wanted) {
  auto all = std::make_shared<border::Rules>(*config::border_rules(wanted));
  if (held) std::ranges::move(held->exceptions(), std::back_inserter(all->filters));
  return all;
}

void Daemon::Parts::use_exceptions() {
  const std::lock_guard lock(reloading);
  border->use(rules(configuration));
}

Result<Done> Daemon::Parts::make_border() {
  auto made = Border::make({.configuration = configuration,
                            .rules = rules(configuration),
                            .resolver = *resolver,
                            .budget = [this] { return resolver->message_budget(); },
                            .active = active,
                            .mapping = mapping,
                            .events = *pipeline,
                            .storing = [this] { return pipeline->health().storing; },
                            .clock = clock,
                            .metrics = metrics,
                            .quarantine = held ? &held->keeper() : nullptr});
  if (!made) return fail(made.error());
  border = std::move(*made);
  if (held) held->connect(border->reputation(), [this] { use_exceptions(); });
  return border->open(io, metrics);
}

Result<Done> Daemon::Parts::make_dispatcher() {
  const enforce::EnforcerContext given{
      .io = io,
      .active = active,
      .mapping = mapping,
      .clock = clock,
      .metrics = metrics,
      .suppressed = suppressed.get(),
      .reply_tags = &pipeline->reply_tags(),
      .store = configuration.store,
      .keep = [this](store::Fact fact) { pipeline->keep(std::move(fact)); }};
  std::vector<enforce::NamedEnforcer> enforcers = border->enforcers();
  for (const config::EnforcerTable& table : configuration.enforcers) {
    auto made = enforce::enforcer_kind(table.kind)->make(table.name, *table.settings, given);
    if (!made) return fail(made.error());
    enforcers.push_back({table.name, std::move(*made)});
  }
  std::vector<enforce::NamedNotifier> notifiers;
  for (const enforce::NotifySettings& settings : configuration.notify) {
    auto made = enforce::make_notifier(settings);
    if (!made) return fail(made.error());
    notifiers.push_back(std::move(*made));
  }
  dispatcher = std::make_unique<enforce::Dispatcher>(
      std::move(enforcers), std::move(notifiers), clock, metrics,
      [this](enforce::Dispatcher::Report report) {
        pipeline->report(std::move(report.enforcements), std::move(report.notices));
      });
  outbox.connect(*dispatcher);
  return Done{};
}

Result<Done> Daemon::Parts::make_sources() {
  std::vector<ingest::NamedSource> sources;
  for (const config::SourceTable& table : configuration.sources) {
    auto made = ingest::source_kind(table.kind)->make(table.name, *table.settings, *context);
    if (!made) return fail(made.error());
    sources.push_back({table.name, table.kind, std::move(*made)});
  }
  supervisor = std::make_unique<ingest::Supervisor>(
      std::move(sources), *pipeline,
      [this](std::string_view source) { return pipeline->position_of(source); });
  metrics.before_text([this] { supervisor->show(metrics); });
  intake = std::make_unique<ingest::Intake>(*pipeline, *context, suppressed.get());
  return Done{};
}

Result<Done> Daemon::Parts::make_api(Daemon& daemon) {
  auto tokens = tokens_from(configuration.listen);
  if (!tokens) return fail(tokens.error());
  investigate::DeskParts given{
      .pipeline = *pipeline,
      .clock = clock,
      .store = configuration.store,
      .version = cli::kVersion,
      .started_at = clock.now(),
      .sources =
          [this, started = clock.now()] {
            std::vector<investigate::SourceView> views;
            for (auto& [name, kind, status] : supervisor->statuses()) {
              views.push_back({name, kind, status});
            }
            views.push_back({"api", "events", intake->status()});
            for (auto& view : views) view.status.counted_since = started;
            return views;
          },
      .enforcers = [this] { return dispatcher->states(); },
      .reload = [&daemon](std::string_view who) { return daemon.reload(who); },
      .reputation = &border->reputation(),
      .quarantine = held ? &held->desk() : nullptr};
  desk = investigate::make_live_desk(std::move(given));
  api = std::make_unique<api::Api>(*desk, *intake, metrics, std::move(*tokens));
  auto opened = net::HttpServer::open(io, listen_addresses(configuration.listen), api->handler());
  if (!opened) return fail(opened.error());
  server = std::move(*opened);
  if (const uint16_t port = server->port(); port != 0)
    log_info("api", "listening on port {}", port);
  return Done{};
}

void Daemon::Parts::start() {
  running = true;
  pipeline->start();
  io.start();
  supervisor->start();
  if (held) held->start();
}

// First nothing new comes in, then what came in is committed and everybody who waits for it is
// answered, then nothing is carried out any more: the outbox remembers.
void Daemon::Parts::stop() {
  if (!running) return;
  running = false;
  pipeline->begin_stop();
  supervisor->stop();
  // What is being released is asked about at the border.
  if (held) held->stop_work();
  border->close();
  pipeline->stop();
  api->stop();
  if (held) held->stop();
  dispatcher->stop();
  io.stop();
}

Daemon::Daemon(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Daemon::~Daemon() { parts_->stop(); }

Result<std::unique_ptr<Daemon>> Daemon::start(config::Configuration configuration,
                                              std::string path) {
  std::unique_ptr<Daemon> daemon(
      new Daemon(std::make_unique<Parts>(std::move(configuration), std::move(path))));
  Parts& parts = *daemon->parts_;
  for (const auto step : {&Parts::make_readers, &Parts::make_pipeline, &Parts::make_held_mail,
                          &Parts::make_border, &Parts::make_dispatcher, &Parts::make_sources}) {
    if (const auto done = (parts.*step)(); !done) return fail(done.error());
  }
  if (const auto done = parts.make_api(*daemon); !done) return fail(done.error());
  parts.start();
  log_warnings(parts.configuration);
  return daemon;
}

Result<Done> Daemon::reload(std::string_view who) {
  const std::lock_guard lock(parts_->reloading);
  auto wanted = config::load(parts_->config_path);
  if (!wanted) return first_of(wanted.error());
  const auto fixed = config::restart_needed(parts_->configuration, *wanted);
  if (!fixed.empty()) {
    return fail(
        Code::refused,
        fmt::format("changed tables need a restart of the daemon, so nothing was changed: {}",
                    fmt::join(fixed, ", ")),
        parts_->config_path);
  }
  auto tokens = tokens_from(wanted->listen);
  if (!tokens) return fail(tokens.error());
  auto attribution = config::attribution_rules(*wanted);
  if (!attribution) return first_of({attribution.error()});
  const auto use_files = parts_->supervisor->read_files_anew();
  if (!use_files) return first_of({use_files.error()});
  if (parts_->countries) {
    if (const auto done = parts_->countries->reload(); !done) return fail(done.error());
  }
  if (const auto done = parts_->pipeline->replace_rules(wanted->rules, wanted->decide); !done) {
    return fail(done.error());
  }
  if (const auto done = parts_->pipeline->replace_suppress_rules(wanted->suppress_rules); !done) {
    return fail(done.error());
  }
  (*use_files)();
  parts_->border->use(parts_->rules(*wanted));
  parts_->api->set_tokens(std::move(*tokens));
  parts_->use(std::move(*attribution), wanted->feedback);
  parts_->configuration = std::move(*wanted);
  const auto noted = parts_->pipeline->ask(
      [&](decide::Decider&, detect::Watch&, Time now) -> Result<decide::Outcome> {
        decide::Outcome outcome;
        outcome.audit.push_back(
            {now, std::string(who), "configuration reloaded", "", parts_->config_path});
        return outcome;
      });
  if (!noted) log_warning("config", "the audit log lacks this: {}", noted.error().text());
  log_info("config", "{} reloaded by {}", parts_->config_path, who);
  log_warnings(parts_->configuration);
  return Done{};
}

}  // namespace watchpost::app
