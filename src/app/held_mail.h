#pragma once
#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "config/configuration.h"
#include "enforce/active.h"
#include "quarantine/digest.h"
#include "quarantine/quarantine.h"
#include "quarantine/releaser.h"

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace watchpost::app {

// The quarantine of a daemon, and what works on it: the releaser, the digests, and a thread that
// looks after what is past its time and what decisions no longer hold.
//   Use:     make() where [quarantine] has one; start() when mail servers can be answered; stop().
//   Owns:    all of it. What it is made with outlives it.
class HeldMail {
 public:
  struct Parts {
    const config::Configuration& configuration;
    const enforce::ActiveSnapshot& active;
    // Filter rules that people have added have changed.
    std::function<void()> exceptions_changed;
    const Clock& clock;
    Metrics& metrics;
  };
  static Result<std::unique_ptr<HeldMail>> make(Parts parts);
  ~HeldMail();

  void start();
  // Nothing is released, mailed or thrown away any more; mail is still kept.
  void stop_work();

  quarantine::Quarantine& quarantine() { return *quarantine_; }
  quarantine::Releaser& releaser() { return *releaser_; }
  // Those in force, as filter rules.
  std::vector<border::Filter> exceptions();

 private:
  explicit HeldMail(Parts parts) : parts_(std::move(parts)) {}
  std::optional<std::string> held_back(const quarantine::HeldMessage& message) const;
  void look_after(const std::stop_token& stop);
  Result<Done> release_what_nothing_holds();

  const Parts parts_;
  std::unique_ptr<quarantine::Quarantine> quarantine_;
  std::unique_ptr<quarantine::Releaser> releaser_;
  std::unique_ptr<quarantine::Digest> digest_;
  std::jthread caretaker_;
};

}  // namespace watchpost::app
