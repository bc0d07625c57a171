#pragma once
#include "base/metrics.h"
#include "net/smtp_delivery.h"
#include "net/smtp_link.h"
#include "quarantine/quarantine.h"
#include "quarantine/settings.h"
#include "quarantine/settle.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace watchpost::quarantine {

// Takes what is due to the mail server, each copy exactly once.
//   Use:     start(); wake() after something became due (it looks each second anyway); stop().
//   Owns:    its threads: one that looks for what is due, and a few for each mail server. The parts
//            must outlive it.
//   Order:   the attempt is durable before the mail server hears of the message, and has a token
//            that the gate takes once. What became of it is noted when the mail server has said it;
//            where it could not (a crash, a connection that broke at the end), Settler finds out.
//   Threads: any. stop() returns within 10 s: what the mail server has not answered by then is in
//            doubt.
class Releaser {
 public:
  // Why a paced copy waits: a decision in force is against it. None: it may go.
  using HeldBack = std::function<std::optional<std::string>(const HeldMessage&)>;
  struct Parts {
    Quarantine& quarantine;
    QuarantineSettings settings;
    HeldBack held_back;
    FindInLog find_in_log;
    const Clock& clock;
    Metrics& metrics;
    size_t lanes = 4;  // for each mail server
    net::SmtpPatience patience = {};
  };
  explicit Releaser(Parts parts);
  ~Releaser();

  void start();
  void stop();
  void wake();
  // A person has looked what became of it; see Settler.
  Result<size_t> settle(const HeldId& id, Settlement settlement, std::string_view who);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace watchpost::quarantine
