#pragma once
#include "auth/results/settings.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/snapshot.h"
#include "base/time.h"
#include "border/milter/handler.h"
#include "border/settings.h"
#include "dns/resolver.h"
#include "enforce/active.h"
#include "feedback/mapping.h"
#include "ingest/source.h"
#include "model/mail_verdict.h"
#include "quarantine/keeper.h"
#include "relate/reputation.h"

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace watchpost::border {

// What people have said about what becomes of mail: immutable, replaced whole on a reload.
struct Rules {
  BorderSettings settings;
  auth::IdentitySettings identity;
  std::vector<LoginSettings> logins;
  std::vector<BlocklistSettings> blocklists;
  std::vector<Filter> filters;
  std::string version;  // a hash of all of it: stands in verdicts
};

using RulesSnapshot = Snapshot<Rules>;

// What the gates share. All of it outlives them.
struct BorderContext {
  const RulesSnapshot& rules;
  dns::Resolver& resolver;
  std::function<dns::Budget()> budget;    // of one message
  const enforce::ActiveSnapshot& active;  // decisions in force
  const feedback::Mapping& mapping;
  relate::Reputation& reputation;
  ingest::EventSink& events;  // offer() alone: nothing here may wait
  // Whether the store can be written: what people should be able to look at later is kept back
  // where it cannot.
  std::function<bool()> storing;
  const Clock& clock;
  Metrics& metrics;
  // Null: there is none, and `quarantine` of [border] says what takes its place.
  quarantine::Keeper* quarantine = nullptr;
  // Mail of our logins under a `hold` is kept there instead of with its sender.
  bool holds = false;
};

// Judges mail for us (role inbound) or mail of our logins (role outbound): what a milter of that
// role asks. `name` is the milter's, `mode` its own: off looks at nothing; shadow judges, keeps the
// verdict and changes nothing; notify adds header fields, and refuses nothing; enforce does what
// was decided.
std::unique_ptr<Handler> inbound_gate(const std::string& name, Mode mode,
                                      const BorderContext& context);
std::unique_ptr<Handler> outbound_gate(const std::string& name, Mode mode,
                                       const BorderContext& context);

}  // namespace watchpost::border
