#include "cli/outside_world.h"

#include "base/host_name.h"
#include "dns/real_resolver.h"
#include "dns/zone_file.h"

#include <filesystem>

namespace watchpost::cli {
namespace {

constexpr uint32_t kPatientQueries = 500;

}  // namespace

Result<config::Configuration> configuration_of(const Session& session) {
  std::error_code none;
  if (session.config == kUsualConfiguration && !std::filesystem::exists(session.config, none)) {
    return config::Configuration{};
  }
  auto loaded = config::load(session.config);
  if (!loaded) return fail(loaded.error().front());
  return std::move(*loaded);
}

Result<OutsideWorld> OutsideWorld::of(const Session& session, const std::string& zone_file) {
  auto configuration = configuration_of(session);
  if (!configuration) return fail(configuration.error());
  OutsideWorld world;
  world.identity_ = std::move(configuration->identity);
  if (world.identity_.authserv_id.empty()) world.identity_.authserv_id = host_name();
  const dns::ResolverSettings& settings = configuration->dns;
  world.message_budget_.queries = static_cast<uint32_t>(settings.message_lookups);
  if (!zone_file.empty()) {
    auto zone = dns::ZoneFile::open(zone_file);
    if (!zone) return fail(zone.error());
    world.resolver_ = std::move(*zone);
    return world;
  }
  world.metrics_ = std::make_unique<Metrics>();
  world.resolver_clock_ = std::make_unique<SystemClock>();
  world.message_time_ = settings.message_time;
  auto resolver = dns::RealResolver::open(settings, *world.resolver_clock_, *world.metrics_);
  if (!resolver) return fail(resolver.error());
  world.resolver_ = std::move(*resolver);
  return world;
}

dns::Budget OutsideWorld::message_budget() const {
  dns::Budget budget = message_budget_;
  if (message_time_ != Duration::max()) budget.until = clock_.now() + message_time_;
  return budget;
}

dns::Budget OutsideWorld::patient_budget() const {
  return {.queries = kPatientQueries, .until = Time::max()};
}

}  // namespace watchpost::cli
