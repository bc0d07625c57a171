#include "app/held_mail.h"

#include "base/log.h"
#include "decide/settings.h"
#include "model/event.h"
#include "quarantine/settle.h"

#include <chrono>
#include <utility>

#include <fmt/format.h>

namespace watchpost::app {
namespace {

constexpr auto kLookEvery = std::chrono::seconds(5);

// What a decision's scope may name of it.
Event event_of(const quarantine::HeldMessage& message) {
  Event event;
  event.direction = message.direction;
  event[Field::sender] = message.sender;
  event[Field::credential] = message.login;
  event[Field::customer] = message.customer;
  event[Field::campaign] = message.campaign;
  event[Field::client_ip] = message.client_ip;
  event[Field::author_domain] = message.author_domain;
  return event;
}

bool stops_mail(const Decision& decision) {
  return decision.measure.kind == MeasureKind::hold ||
         decision.measure.kind == MeasureKind::suspend ||
         decision.measure.kind == MeasureKind::block;
}

// Why a paced release waits.
std::optional<std::string> held_back(const enforce::ActiveSnapshot& active, const Clock& clock,
                                     const quarantine::HeldMessage& message) {
  const auto decisions = active.get();
  const Decision* const found = decisions->strictest(event_of(message), clock.now());
  if (found == nullptr || !stops_mail(*found)) return std::nullopt;
  return fmt::format("{} is in force: {} {}", text_of(found->id), found->scope.text(),
                     found->measure.text());
}

}  // namespace

Result<std::unique_ptr<HeldMail>> HeldMail::make(const Parts& parts) {
  const config::Configuration& wanted = parts.configuration;
  std::unique_ptr<HeldMail> made(new HeldMail(parts));
  auto opened = quarantine::Quarantine::open({.settings = wanted.quarantine,
                                              .folder = config::quarantine_folder(wanted),
                                              .clock = parts.clock,
                                              .metrics = parts.metrics});
  if (!opened) return fail(opened.error());
  made->quarantine_ = std::move(*opened);
  made->releaser_ = std::make_unique<quarantine::Releaser>(quarantine::Releaser::Parts{
      .quarantine = *made->quarantine_,
      .settings = wanted.quarantine,
      .held_back =
          [&active = parts.active, &clock = parts.clock](const quarantine::HeldMessage& message) {
            return held_back(active, clock, message);
          },
      .find_in_log = quarantine::find_in_log_of(wanted.store),
      .clock = parts.clock,
      .metrics = parts.metrics});
  made->digest_ = std::make_unique<quarantine::Digest>(
      quarantine::Digest::Parts{.quarantine = *made->quarantine_,
                                .settings = wanted.quarantine,
                                .clock = parts.clock,
                                .metrics = parts.metrics});
  return made;
}

HeldMail::~HeldMail() {
  stop_work();
  if (quarantine_) stop();
}

void HeldMail::connect(relate::Reputation& reputation, std::function<void()> exceptions_changed) {
  const config::Configuration& wanted = parts_.configuration;
  auto paces = decide::paces_of(wanted.decide);
  desk_ = investigate::make_quarantine_desk(
      {.quarantine = *quarantine_,
       .pipeline = parts_.pipeline,
       .clock = parts_.clock,
       .store = wanted.store,
       .settings = wanted.quarantine,
       .paces = paces ? std::move(*paces) : std::vector<Measure>{},
       .reputation = &reputation,
       .wake = [this] { releaser_->wake(); },
       .exceptions_changed = std::move(exceptions_changed),
       .settle =
           [this](const quarantine::HeldId& id, bool arrived, std::string_view who) {
             return releaser_->settle(
                 id, arrived ? quarantine::Settlement::arrived : quarantine::Settlement::again,
                 who);
           }});
  ended_.emplace(*quarantine_, *desk_, wanted.store);
}

void HeldMail::start() {
  releaser_->start();
  if (!parts_.configuration.quarantine.digest_at.empty()) digest_->start();
  caretaker_ = std::jthread([this](const std::stop_token& stop) { look_after(stop); });
}

void HeldMail::stop_work() {
  caretaker_ = std::jthread();
  // Not all of it is there where it could not be made.
  if (digest_) digest_->stop();
  if (releaser_) releaser_->stop();
}

void HeldMail::look_after(const std::stop_token& stop) {
  for (;;) {
    std::unique_lock lock(mutex_);
    if (ending_.wait_for(lock, stop, kLookEvery, [] { return false; }) || stop.stop_requested()) {
      return;
    }
    lock.unlock();
    if (const auto done = quarantine_->maintain(); !done) {
      log_warning("quarantine", "cannot be tidied: {}", done.error().text());
    }
    if (const auto sent = ended_->look(parts_.clock.now()); !sent) {
      log_warning("quarantine", "what ended decisions have held waits: {}", sent.error().text());
    }
  }
}

std::vector<border::Filter> HeldMail::exceptions() {
  std::vector<border::Filter> filters;
  const auto all = quarantine_->exceptions();
  if (!all) {
    log_error("quarantine", "exceptions cannot be read: {}", all.error().text());
    return filters;
  }
  for (const quarantine::Exception& one : *all) {
    auto filter = border::make_filter({.name = one.name,
                                       .when = one.when,
                                       .then = "accept",
                                       .mode = "enforce",
                                       .owner = one.by,
                                       .until = "",
                                       .why = one.why});
    if (!filter) {
      log_error("quarantine", "exception {} is no rule any more: {}", one.name,
                filter.error().text());
      continue;
    }
    filter->until = one.until;
    filters.push_back(std::move(*filter));
  }
  return filters;
}

}  // namespace watchpost::app
