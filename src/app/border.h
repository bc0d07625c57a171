#pragma once
#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "border/gate.h"
#include "border/milter/server.h"
#include "config/configuration.h"
#include "enforce/dispatcher.h"
#include "net/io.h"
#include "relate/reputation.h"
#include "relate/reputation_file.h"

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace watchpost::app {

// The gates of all milters, and what they share.
//   Use:     make(), then open(): from there on mail servers are answered. close() ends that.
//   Ends:    checks that wait for DNS then still refer to the gates: the resolver goes before this.
class Border {
 public:
  // What the gates are made with; all of it outlives them.
  struct Parts {
    const config::Configuration& configuration;
    std::shared_ptr<const border::Rules> rules;
    dns::Resolver& resolver;
    std::function<dns::Budget()> budget;
    const enforce::ActiveSnapshot& active;
    const feedback::Mapping& mapping;
    ingest::EventSink& events;
    std::function<bool()> storing;
    const Clock& clock;
    Metrics& metrics;
    quarantine::Keeper* quarantine = nullptr;  // null: there is none
  };
  static Result<std::unique_ptr<Border>> make(const Parts& parts);
  ~Border();

  // Milters that can carry out decisions.
  std::vector<enforce::NamedEnforcer> enforcers() const;
  Result<Done> open(net::Io& io, Metrics& metrics);
  // No more mail is asked about; waits until the sessions have ended.
  void close();
  // What people say from now on about what becomes of mail.
  void use(std::shared_ptr<const border::Rules> rules) { rules_.set(std::move(rules)); }
  relate::Reputation& reputation() { return *reputation_; }

 private:
  struct Milter {
    border::MilterSettings settings;
    std::unique_ptr<border::Handler> gate;
    std::unique_ptr<border::MilterServer> server;
  };
  Border() = default;

  border::RulesSnapshot rules_;
  std::unique_ptr<relate::Reputation> reputation_;
  std::unique_ptr<relate::ReputationFile> saved_;
  mutable std::mutex mutex_;  // of the servers: they are asked how they are, and closed
  std::vector<Milter> milters_;
};

}  // namespace watchpost::app
