#include "enforce/enforcers/suppression_webhook.h"

#include "base/hash.h"
#include "base/log.h"
#include "enforce/following.h"
#include "enforce/outgoing.h"
#include "enforce/retry.h"
#include "enforce/rounds.h"
#include "model/incident.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace watchpost::enforce {
namespace {

constexpr size_t kChangesAtOnce = 500;
constexpr Duration kPause = std::chrono::milliseconds(500);
constexpr Duration kDeadline = std::chrono::seconds(10);

boost::json::value or_null(const std::string& text) {
  if (text.empty()) return nullptr;
  return boost::json::value(json_text(text));
}

std::string_view state_of(const Suppression& one, Time now) {
  if (one.lifted) return "lifted";
  return one.holds(now) ? "holds" : "ended";
}

// Whoever is told follows recipients: one that is still suppressed for another reason must not be
// mailed when this one is lifted.
bool is_suppressed(const Suppression& one, const suppress::List& list, Time now) {
  return one.holds(now) || list.holding(one.customer, one.recipient, now);
}

boost::json::object change_json(const Suppression& one, const suppress::List& list, Time now,
                                std::string_view mark) {
  const std::string incident =
      one.incident == 0 ? std::string() : text_of(IncidentId{one.incident});
  return {{"recipient", json_text(one.recipient)},
          {"customer", or_null(one.customer)},
          {"suppressed", is_suppressed(one, list, now)},
          {"state", state_of(one, now)},
          {"reason", name_of(one.reason)},
          {"origin", json_text(one.origin)},
          {"note", json_text(one.note)},
          {"since", format_time(one.since)},
          {"until", one.until ? boost::json::value(format_time(*one.until)) : nullptr},
          {"evidence", json_text(one.evidence)},
          {"event", or_null(one.event ? to_hex(one.event) : std::string())},
          {"incident", or_null(incident)},
          {"lifted_by", or_null(one.lifted_by)},
          {"lifted_note", or_null(one.lifted_note)},
          {"changed_at", format_time(one.changed_at)},
          {"change", one.change},
          {"refusal_mark", mark}};
}

}  // namespace

struct SuppressionWebhook::Worker {
  Worker(std::string given_name, const SuppressionWebhookSettings& given, std::string given_secret,
         const EnforcerContext& given_context)
      : fact("suppress/feed/" + given_name),
        name(std::move(given_name)),
        settings(given),
        secret(std::move(given_secret)),
        context(given_context),
        following(name, context.metrics) {}

  Duration round();
  Result<Done> prepare();
  // False: there is nothing to be told.
  Result<bool> tell();

  const std::string fact;
  const std::string name;
  const SuppressionWebhookSettings settings;
  const std::string secret;
  const EnforcerContext context;
  Following following;
  // The thread's own.
  std::unique_ptr<store::Reader> reader = nullptr;
  std::optional<uint64_t> position = std::nullopt;

  mutable std::mutex mutex = {};
  std::string last = "not called yet";
  std::optional<Rounds> rounds = std::nullopt;  // last: it uses what is above
};

Result<Done> SuppressionWebhook::Worker::prepare() {
  if (!reader) {
    auto opened = store::Reader::open(context.store);
    if (!opened) return fail(opened.error());
    reader = std::move(*opened);
  }
  if (position) return Done{};
  const auto facts = reader->facts(fact);
  if (!facts) return fail(facts.error());
  uint64_t number = 0;
  for (const store::Fact& one : *facts) {
    if (one.name != fact) continue;
    std::from_chars(one.value.data(), one.value.data() + one.value.size(), number);
  }
  position = number;
  return Done{};
}

Result<bool> SuppressionWebhook::Worker::tell() {
  if (const auto done = prepare(); !done) return fail(done.error());
  following.is_behind(changes_since(*context.suppressed, *position));
  // The store has a change a moment before the list, which says what else suppresses a recipient.
  const uint64_t up_to = context.suppressed->last_change();
  if (up_to <= *position) return false;
  auto rows = reader->suppressions_after(*position, kChangesAtOnce);
  if (!rows) return fail(rows.error());
  std::erase_if(*rows, [&](const Suppression& one) { return one.change > up_to; });
  if (rows->empty()) return false;
  const uint64_t end = rows->back().change;
  if (!settings.customer.empty()) {
    std::erase_if(*rows, [this](const Suppression& one) {
      return !one.customer.empty() && one.customer != settings.customer;
    });
  }
  const Time now = context.clock.now();
  if (!rows->empty()) {
    const auto done = post_signed(
        settings, secret, fmt::format("suppressions/{}", end),
        suppression_changes_body(
            *rows,
            {.end = end, .now = now, .list = *context.suppressed, .tags = *context.reply_tags}),
        now, kDeadline);
    if (!done) return fail(done.error());
    following.done();
  }
  position = end;
  if (context.keep) context.keep({fact, std::to_string(end)});
  const std::lock_guard lock(mutex);
  last = fmt::format("told up to change {} at {}", end, format_time(context.clock.now()));
  return true;
}

Duration SuppressionWebhook::Worker::round() {
  const auto told = tell();
  if (told) {
    if (!*told) following.is_current(context.clock.now());
    return *told ? Duration(0) : kPause;
  }
  if (following.failures() == 0) log_warning("enforce", "{}: {}", name, told.error().text());
  following.failed();
  reader.reset();
  const std::lock_guard lock(mutex);
  last = told.error().what;
  return pause_after(static_cast<uint32_t>(following.failures()), 0);
}

SuppressionWebhook::SuppressionWebhook(std::unique_ptr<Worker> worker)
    : worker_(std::move(worker)) {
  if (worker_->context.suppressed != nullptr) {
    worker_->rounds.emplace([worker = worker_.get()] { return worker->round(); });
  }
}

SuppressionWebhook::~SuppressionWebhook() = default;

Result<std::unique_ptr<SuppressionWebhook>> SuppressionWebhook::open(
    std::string name, const SuppressionWebhookSettings& settings, const EnforcerContext& context) {
  if (const auto fine = settings.check(); !fine) return fail(fine.error());
  auto secret = secret_of(settings);
  if (!secret) return fail(secret.error());
  return std::unique_ptr<SuppressionWebhook>(new SuppressionWebhook(
      std::make_unique<Worker>(std::move(name), settings, std::move(*secret), context)));
}

Result<Done> SuppressionWebhook::can(const Decision&) const {
  return fail(Code::refused, "it tells of suppressions only");
}

std::string SuppressionWebhook::state() const {
  const std::lock_guard lock(worker_->mutex);
  return fmt::format("{}: {}", origin_of(worker_->settings.url), worker_->last);
}

uint64_t SuppressionWebhook::failures() const { return worker_->following.failures(); }

std::string suppression_changes_body(std::span<const Suppression> changes,
                                     const ChangesContext& around) {
  boost::json::array all;
  for (const Suppression& one : changes) {
    all.push_back(change_json(one, around.list, around.now, around.tags.mark_of(one.recipient)));
  }
  return boost::json::serialize(boost::json::object{
      {"id", fmt::format("suppressions/{}", around.end)}, {"changes", std::move(all)}});
}

void SuppressionWebhookSettings::describe(SettingsVisitor& visit) {
  WebhookSettings::describe(visit);
  visit.setting({.name = "customer",
                 .help = "only those of this customer and those for everybody; empty: all"},
                &customer);
}

const EnforcerKind kSuppressionWebhook{
    .name = "suppression_webhook",
    .summary = "tells an HTTP service of yours, signed, of each change of a suppression",
    .hostile = false,
    .settings = []() -> std::unique_ptr<EnforcerKind::Settings> {
      return std::make_unique<SuppressionWebhookSettings>();
    },
    .make = [](std::string name, const EnforcerKind::Settings& settings,
               const EnforcerContext& context) -> Result<std::unique_ptr<Enforcer>> {
      auto made = SuppressionWebhook::open(
          std::move(name), dynamic_cast<const SuppressionWebhookSettings&>(settings), context);
      if (!made) return fail(made.error());
      return std::unique_ptr<Enforcer>(std::move(*made));
    },
};

}  // namespace watchpost::enforce
