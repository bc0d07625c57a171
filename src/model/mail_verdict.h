#pragma once
#include "base/hash.h"
#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost {

// What becomes of one message at the border, mildest first: of two that are wanted, the later in
// this list is done.
enum class Disposition : uint8_t {
  accept,
  tag,         // accepted, with marks in its header
  tempfail,    // refused for now: the sender keeps it and tries again
  quarantine,  // kept for a person to look at
  reject,      // refused
};
inline constexpr size_t kDispositions = 5;
std::string_view name_of(Disposition disposition);
Result<Disposition> disposition_from(std::string_view name);

// One rule's word on a message.
struct VerdictReason {
  std::string rule;  // who says so: "dmarc", "listed zen.example", "filter NAME", "decision d-17"
  Disposition wants = Disposition::accept;
  bool in_force = true;  // false: its mode is shadow or notify, it would have
  std::string words;     // one sentence for people; texts from outside are not escaped in it
  // For whom it holds, where not for all recipients of the message: else empty.
  std::vector<std::string> recipients = {};
  bool operator==(const VerdictReason&) const = default;
};

// What the border decided on one message, and why.
struct MailVerdict {
  Disposition decided = Disposition::accept;      // what the rules in force came to
  Disposition carried_out = Disposition::accept;  // what the mail server was told; milder where the
                                                  // mode only looks on, tempfail for a quarantine
                                                  // that cannot be had; quarantine where any copy
                                                  // of it was kept
  std::vector<VerdictReason> reasons;             // strictest first; empty: nothing was found
};

// A verdict as it is kept: one JSON document (docs/formats/verdict.md) with all it rested on,
// beside the `judged` or `accepted` event of the message.
inline constexpr size_t kLongestVerdict = 256 * 1024;  // a longer one is not kept
struct KeptVerdict {
  Hash128 event;  // its id
  std::string json;
};

}  // namespace watchpost
