#include "app/border.h"

#include "base/log.h"
#include "border/milter_enforcer.h"
#include "model/measure.h"

#include <utility>

namespace watchpost::app {

Result<std::unique_ptr<Border>> Border::make(const Parts& parts) {
  const config::Configuration& wanted = parts.configuration;
  std::unique_ptr<Border> made(new Border());
  made->rules_.set(parts.rules);
  made->reputation_ = std::make_unique<relate::Reputation>(wanted.reputation);
  made->saved_ =
      relate::ReputationFile::open(relate::reputation_path(wanted.store.path), *made->reputation_);
  const border::BorderContext context{.rules = made->rules_,
                                      .resolver = parts.resolver,
                                      .budget = parts.budget,
                                      .active = parts.active,
                                      .mapping = parts.mapping,
                                      .reputation = *made->reputation_,
                                      .events = parts.events,
                                      .storing = parts.storing,
                                      .clock = parts.clock,
                                      .metrics = parts.metrics,
                                      .quarantine = parts.quarantine,
                                      .holds = wanted.quarantine.holds};
  for (const border::MilterSettings& settings : wanted.milters) {
    const auto mode = mode_from(settings.mode);
    if (!mode) return fail(mode.error());
    auto gate = settings.role == "inbound" ? border::inbound_gate(settings.name, *mode, context)
                                           : border::outbound_gate(settings.name, *mode, context);
    made->milters_.push_back({settings, std::move(gate), nullptr});
  }
  return made;
}

Border::~Border() { close(); }

std::vector<enforce::NamedEnforcer> Border::enforcers() const {
  std::vector<enforce::NamedEnforcer> all;
  for (size_t i = 0; i < milters_.size(); ++i) {
    const border::MilterSettings& settings = milters_[i].settings;
    if (settings.role != "outbound" || settings.mode != name_of(Mode::enforce)) continue;
    all.push_back({settings.name, std::make_unique<border::MilterEnforcer>([this, i] {
                     const std::lock_guard lock(mutex_);
                     const auto& server = milters_[i].server;
                     return server ? server->state() : std::string("closed");
                   })});
  }
  return all;
}

Result<Done> Border::open(net::Io& io, Metrics& metrics) {
  for (Milter& milter : milters_) {
    auto opened = border::MilterServer::open(io, milter.settings, *milter.gate, metrics);
    if (!opened) return fail(opened.error());
    const std::lock_guard lock(mutex_);
    milter.server = std::move(*opened);
    log_info("milter", "{}: {}", milter.settings.name, milter.server->state());
  }
  return Done{};
}

void Border::close() {
  std::vector<std::unique_ptr<border::MilterServer>> ending;
  const std::lock_guard lock(mutex_);
  for (Milter& milter : milters_) ending.push_back(std::move(milter.server));
}

}  // namespace watchpost::app
