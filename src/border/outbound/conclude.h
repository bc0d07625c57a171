#pragma once
#include "border/dispositions.h"
#include "border/outbound/decisions.h"
#include "border/outbound/kept.h"
#include "border/settings.h"

#include <optional>
#include <vector>

namespace watchpost::border {

// What stands against a message of a login.
struct OutboundCase {
  std::optional<Decision> decision;  // under which it may not pass, whoever gets it
  std::vector<Hold> holds;  // under which it is kept instead, each for some, and never `decision`
  Mode mode = Mode::enforce;
  Keeping keeping = Keeping::never;
};

// A message is kept for so many causes apart at most.
inline constexpr size_t kMostHolds = 16;

// From what stands against it to the verdict, the plan and the reply: where the plan keeps
// anything, the verdict is right when that is done. Pure.
void conclude(OutboundJudged& judged, const OutboundCase& against, const BorderSettings& settings);

// A refusal by our own rules; the mark is what the log's reader knows it by.
std::string reply_for(Disposition disposition, std::string_view words, std::string_view contact);
// That of mail which was to be kept; says so in the verdict, too.
void put_off(OutboundJudged& judged, std::string why, const BorderSettings& settings);

bool refuses(Disposition disposition);
// Nothing is done by a mark in mail that leaves.
Disposition where_mail_leaves(Disposition wanted, const CarryingOut& how);

}  // namespace watchpost::border
