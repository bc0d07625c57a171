#pragma once
#include "base/time.h"
#include "quarantine/held.h"

#include <cstdint>
#include <string>
#include <vector>

namespace watchpost::quarantine {

// Who asked for a release, and how it goes out.
struct ReleaseOrder {
  std::string by;
  Time at;             // the epoch: now
  bool paced = false;  // it waits while a decision in force is against it
};

// So much of what was found, so long after the order: {0.01, 0 s}, {0.1, 15 min}, {1, 30 min}.
struct PacedStep {
  double up_to = 1;  // this share has gone out then, from 0 to 1
  Duration after{0};
};

// Copies of one message that can go out together.
struct Due {
  HeldMessage message;  // with those copies alone
};

// One try to hand copies of a message to the mail server.
struct Attempt {
  uint64_t number = 0;
  HeldMessage message;  // with the copies of this attempt alone
  std::string token;    // 64 hex digits; lasts as long as the attempt
  Time began;
  // What the gate has noted: the mail server was told to go on with it. None: it cannot have it.
  std::string queue_id;
  bool redeemed = false;
};

// What became of one of its copies.
struct CopyOutcome {
  enum class Kind : uint8_t {
    released,  // the mail server has it
    again,     // due again, at `at`
    refused,   // held again: the mail server refused it for good
    in_doubt,  // nobody knows: it may have it
  };
  std::string recipient;
  Kind kind = Kind::again;
  Time at;           // of `again`
  std::string note;  // for people
};

}  // namespace watchpost::quarantine
