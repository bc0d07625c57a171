#pragma once
#include "base/result.h"
#include "base/time.h"
#include "model/stream.h"
#include "simulate/order.h"
#include "simulate/population.h"
#include "simulate/receivers.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace watchpost::simulate {

struct PlatformSettings {
  uint32_t customers = 100;
  Time start = Time(std::chrono::seconds(1'793'577'600));  // Monday 2026-11-02
  Duration span = std::chrono::hours(24);
  uint64_t seed = 1;
  std::vector<Order> orders;
};

enum class Happening : uint8_t {
  login_failed,
  accepted,  // with the login before it
  delivered,
  deferred,
  bounced,
  expired,
  bounced_late,  // taken first, then sent back
  complained,
  unsubscribed,
};

// One message of ours.
struct Letter {
  Time accepted;
  uint64_t key = 0;      // its ids are made from it
  uint32_t channel = 0;  // who sent it
  uint32_t issue = 0;    // of a mailing
  Address client = 0;
  uint32_t size = 0;
  uint32_t recipients = 0;
};

struct Occurrence {
  Time at;
  Happening what = Happening::accepted;
  Letter letter;         // of a failed login: channel, key and client only
  Mailbox to;            // of what happens to one recipient
  ReplyId reply = 0;     // of a try
  uint32_t tries = 0;    // this one included
  bool is_last = false;  // nothing of the message is left in the queue
};

// What became of an order.
struct IncidentRecord {
  IncidentKind kind = IncidentKind::stolen_login;
  Time start;
  Time end;  // as ordered; an incident may end sooner, by a measure or with its list
  uint32_t customer = Channel::kNone;
  std::string customer_name;
  std::string credential;
  std::string campaign;
  std::string provider;
  std::string source_ip;
  uint64_t messages = 0;    // accepted
  uint64_t recipients = 0;  // of those
  uint64_t refused = 0;     // recipients that a measure kept from us
  uint64_t under_way = 0;   // recipients accepted of whom nothing is known yet
  uint64_t unknown = 0;     // recipients who are not there
};

struct PlatformState;

// A sending platform with its customers and all who receive from them, made up: what happens, in
// the order of time. The same for the same settings. Customers do not hear of each other: with an
// incident or without, all others do the same.
//   Use:     next() until it says false.
//   Owns:    memory for customers and for mail that is under way.
//   Threads: none inside.
class Platform {
 public:
  // Errors: bad_input (an order that names what there is not).
  static Result<Platform> make(const PlatformSettings& settings);
  Platform(Platform&&) noexcept;
  Platform& operator=(Platform&&) noexcept;
  ~Platform();

  // Appends what happens next. False: the time is over.
  bool next(std::vector<Occurrence>& into);
  Time now() const;
  // When that will be; the end where there is nothing more.
  Time next_at() const;

  // A measure: from now on, recipients that the stream holds are refused at the door.
  void refuse(const Stream& scope, Time until);
  // The same beyond so many recipients in this time.
  void throttle(const Stream& scope, uint32_t allowed, Duration per, Time until);
  // The same, but for this share of them, from 0 to 1.
  void throttle_to(const Stream& scope, double share, Time until);

  const Population& population() const;
  const Channel& channel_of(const Letter& letter) const;
  const Customer& customer_of(const Letter& letter) const;
  const Login& login_of(const Letter& letter) const;
  Address source_of(const Letter& letter) const;
  // Of the message that was accepted in the last step.
  std::span<const Mailbox> recipients() const;
  // "newsletter-12"; empty where the message belongs to none.
  void append_campaign(std::string& out, const Letter& letter) const;

  const std::vector<IncidentRecord>& incidents() const;
  // The address belongs to somebody who means harm: a thief, or who tries passwords.
  bool is_hostile(std::string_view client_ip) const;

 private:
  explicit Platform(std::unique_ptr<PlatformState> state);
  std::unique_ptr<PlatformState> state_;
};

}  // namespace watchpost::simulate
