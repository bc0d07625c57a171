#pragma once
#include "base/hash.h"
#include "base/time.h"
#include "model/decision.h"
#include "model/event.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::quarantine {

// Random: nobody can guess the next one. 32 hex digits to people, and the name of its file.
using HeldId = Hash128;

// What has become of one recipient's copy.
enum class CopyState : uint8_t {
  held,
  due,        // its release was asked for: it goes out at `release_at`, or as soon as it can
  leaving,    // an attempt is under way; after a crash it is found out what became of it
  released,   // the mail server has it
  discarded,  // thrown away by a person
  expired,    // thrown away at the end of its time
};
std::string_view name_of(CopyState state);
std::optional<CopyState> copy_state_from(std::string_view name);
// Whether its bytes are still needed.
constexpr bool is_open(CopyState state) { return state <= CopyState::leaving; }

struct Copy {
  std::string recipient;  // as the mail server said it, without angle brackets
  std::string arguments;  // of ESMTP
  CopyState state = CopyState::held;
  Time changed;        // its state
  Time release_at;     // of one that is due
  bool paced = false;  // of one that is due: it waits while a decision in force is against it
  std::string by;      // who asked for what it is now; empty: nobody did
  std::string note;    // why it has not gone out yet; empty: nothing was wrong
  std::optional<Time> requested;  // when its recipient asked for it
};

// One of those whose reputation the message counted against, and as what: "domain", "shop.example".
struct Counted {
  std::string party;
  std::string name;
  std::string deed;  // "bad"
};

// What is known of a held message without opening its file. Texts that come from the message are
// valid UTF-8 of bounded length, and else as they were: escape them on output.
struct HeldMessage {
  HeldId id;
  Time at;
  Time until;  // then it is thrown away
  Direction direction = Direction::inbound;
  std::string milter;            // its name
  std::string queue_id;          // of the mail server that asked
  std::string message_id;        // without angle brackets
  std::string sender;            // of the envelope: "jo@shop.example", "<>"
  std::string sender_arguments;  // of ESMTP: "SIZE=1234 BODY=8BITMIME"
  std::string author;            // addresses of From, a blank between
  std::string author_domain;
  std::string subject;  // readable
  std::string login;    // who sent it with us
  std::string customer, campaign;
  std::string client_ip;
  std::string spf, dmarc;  // words of the checks: "pass"; empty: not asked
  std::string disposition = "quarantine";
  std::string rule;      // what decided: "filter lookalike", "decision d-17"
  std::string reason;    // its words
  DecisionId decision;   // that holds it; 0: none
  bool certain = false;  // never offered to its recipients
  std::vector<Counted> counted;
  uint64_t size = 0;         // bytes of the message
  std::vector<Copy> copies;  // never empty
};

// What is in its file beside that.
struct HeldContent {
  std::string
      message;  // the exact bytes: "Name: value" lines as they came, an empty line, the body
  std::map<std::string, std::string, std::less<>> macros;  // of the mail server
  std::string verdict;                                     // docs/formats/verdict.md; may be empty
};

}  // namespace watchpost::quarantine
