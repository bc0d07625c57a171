#pragma once
#include "base/result.h"
#include "quarantine/held.h"

#include <functional>
#include <string>
#include <string_view>

namespace watchpost::quarantine {

// The first field of a released message: by it the gate knows one of ours, once.
inline constexpr std::string_view kReleaseField = "X-Watchpost-Release";
// What a releaser says HELO with. It proves nothing: anybody can.
inline constexpr std::string_view kReleaseHelo = "release.watchpost.invalid";

// A released message as it comes by the gate.
struct Presented {
  std::string token;         // the value of kReleaseField
  std::string queue_id;      // by which the mail server knows it from now on
  std::string_view message;  // all behind that field; good during the call
};

// What gates want of the quarantine.
//   Threads: any; nothing here waits.
class Keeper {
 public:
  using Kept = std::function<void(Result<HeldId>)>;
  using Redeemed = std::function<void(Result<HeldMessage>)>;

  virtual ~Keeper() = default;
  // False: it is full, or its disk is broken: who would keep mail here refuses it for now.
  virtual bool takes() const = 0;
  // Keeps a message: `done` comes once, from one of the quarantine's threads, when all of it is
  // durable, or with the error by which nothing was kept: `exhausted` at once where it is full or
  // has too much to write. Copies that are here already, of the same bytes and
  // sender, are the same mail handed in again: they count as kept. `message.id`, `until` and each
  // copy's state are set here.
  virtual void keep(HeldMessage message, HeldContent content, Kept done) = 0;
  // Takes a token, once: after `done` has its message the mail server is told to go on. Errors:
  // not_found: the token is none of ours, or was used; all else: not now.
  virtual void redeem(const Presented& presented, Redeemed done) = 0;
};

}  // namespace watchpost::quarantine
