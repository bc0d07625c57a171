#pragma once
#include "border/held_mail.h"
#include "border/outbound/decisions.h"
#include "border/outbound/kept.h"
#include "model/event.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::border {

// The copies of one message that are kept for one cause.
struct HeldPart {
  std::optional<Decision> hold;         // none: another reason of the verdict's
  std::vector<std::string> recipients;  // empty: all
};

// What of a message is kept, part by part: under holds, each for its recipients, and by a reason
// for everybody where `all` of it is kept. Pure.
std::vector<HeldPart> parts_of(const std::vector<Hold>& holds, const Transaction& mail, bool all);

// A part as the quarantine gets it. `event` is the message's, mapped. Pure.
HeldMail held_mail(std::string_view milter, Mode mode, std::string_view rules,
                   const OutboundJudged& judged, const Event& event, const HeldPart& part);

// Says of a released message's event who it was from when it first came: the releaser has no login.
void tell_as_held(const quarantine::HeldMessage& held, Event& event, EventBatch& batch);

}  // namespace watchpost::border
