#pragma once
#include "base/metrics.h"
#include "net/smtp_delivery.h"
#include "quarantine/quarantine.h"
#include "quarantine/release_pauses.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace watchpost::quarantine {

struct ReleaseCounters {
  explicit ReleaseCounters(Metrics& metrics);
  Counter& released;
  Counter& again;
  Counter& refused;
  Counter& in_doubt;
  Counter& unasked;
  Histogram& seconds;
};

// What all releases share.
struct ReleaseContext {
  Quarantine& quarantine;
  const Clock& clock;
  ReleasePauses pauses;
  ReleaseCounters counters;
  net::SmtpStop stop;
  net::SmtpPatience patience;
  OnceAMinute disk_trouble, nobody_asks;
};

// Hands messages to one mail server, a few at a time, each by a connection that is kept.
//   Use:     put() what is due; `wants_more` comes from a lane's thread before it has nothing to
//   do.
//            To end: stop the context, then end().
//   Owns:    its threads. The context must outlive it.
//   Threads: any.
class ReleaseLanes {
 public:
  static constexpr size_t kMostWaiting = 64;

  ReleaseLanes(ReleaseContext& context, std::string server, size_t lanes,
               std::function<void()> wants_more);
  ~ReleaseLanes();

  // False: it has enough to do, or this message is in hand.
  bool put(Due due);
  void end();

  const std::string& server() const { return server_; }

 private:
  void run();
  void release(const Due& due, net::SmtpDelivery& delivery);
  std::vector<CopyOutcome> hand_in(const Attempt& attempt, net::SmtpDelivery& delivery);
  std::vector<CopyOutcome> outcomes_of(const Attempt& attempt,
                                       const net::SmtpDelivery::Outcome& outcome);
  void conclude(const Attempt& attempt, std::span<const CopyOutcome> outcomes);
  void count(std::span<const CopyOutcome> outcomes, bool redeemed);

  ReleaseContext& context_;
  const std::string server_;
  const std::function<void()> wants_more_;
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable filled_;
  std::deque<Due> waiting_;
  std::set<HeldId> in_hand_;  // with those that wait
  bool ended_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace watchpost::quarantine
