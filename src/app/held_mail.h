#pragma once
#include "app/ended_holds.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "border/settings.h"
#include "config/configuration.h"
#include "enforce/active.h"
#include "ingest/pipeline.h"
#include "investigate/quarantine_desk.h"
#include "quarantine/digest.h"
#include "quarantine/quarantine.h"
#include "quarantine/releaser.h"
#include "relate/reputation.h"

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace watchpost::app {

// The quarantine of a daemon, and those who work on it: the releaser, the digests, and a thread
// that looks after what is past its time and what decisions no longer hold.
//   Use:     make() where [quarantine] has one; connect() when the border is there; start() when
//            mail servers can be answered; stop_work(), and stop() once the border is closed.
//   Owns:    all of it. What it is made with outlives it.
class HeldMail {
 public:
  struct Parts {
    const config::Configuration& configuration;
    ingest::Pipeline& pipeline;
    const enforce::ActiveSnapshot& active;
    const Clock& clock;
    Metrics& metrics;
  };
  static Result<std::unique_ptr<HeldMail>> make(const Parts& parts);
  ~HeldMail();

  // `exceptions_changed`: people have added or ended some; they are in force once it returns.
  void connect(relate::Reputation& reputation, std::function<void()> exceptions_changed);
  void start();
  // Nothing is released, mailed or thrown away any more; mail is still kept.
  void stop_work();
  void stop() { quarantine_->stop(); }

  quarantine::Keeper& keeper() { return *quarantine_; }
  // Once connected.
  investigate::QuarantineDesk& desk() { return *desk_; }
  // Exceptions in force, as filter rules.
  std::vector<border::Filter> exceptions();

 private:
  explicit HeldMail(const Parts& parts) : parts_(parts) {}
  void look_after(const std::stop_token& stop);

  const Parts parts_;
  std::unique_ptr<quarantine::Quarantine> quarantine_;
  std::unique_ptr<quarantine::Releaser> releaser_;
  std::unique_ptr<quarantine::Digest> digest_;
  std::unique_ptr<investigate::QuarantineDesk> desk_;
  std::optional<EndedHolds> ended_;
  std::mutex mutex_;
  std::condition_variable_any ending_;
  std::jthread caretaker_;
};

}  // namespace watchpost::app
