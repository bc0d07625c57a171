#pragma once
#include "border/inbound/reason.h"
#include "border/settings.h"
#include "model/mail_verdict.h"
#include "model/measure.h"
#include "relate/reputation.h"

#include <optional>
#include <string>
#include <vector>

namespace watchpost::border {

// What is done of what was decided.
struct CarryingOut {
  Mode mode = Mode::enforce;
  // [border] quarantine: in place of a quarantine that cannot be had.
  Disposition in_place_of_quarantine = Disposition::tempfail;
  bool storing = true;  // false: what should be kept waits at its sender instead
};

// Strictest first, what is in force before what is not. A filter that accepts and enforces is an
// exception: it takes the place of policy and of other filters, never of decisions or trouble; what
// it takes the place of stays in sight, and is no evidence against anybody. Pure.
void weigh(std::vector<Reason>& reasons);

// The strictest that is in force. Of weighed reasons. Pure.
Disposition decided_by(const std::vector<Reason>& reasons);
// Null: nothing that is in force wants more than to accept it.
const Reason* deciding(const std::vector<Reason>& reasons);
Disposition carried_out(Disposition decided, const CarryingOut& how);

// What a message came to for those who vouch for it; nothing where Watchpost or trouble decided.
std::optional<relate::Deed> deed_of(const std::vector<Reason>& reasons);

// The reply by which a message is refused, for good or for now: one line, of our own words.
std::string reply_of(const Reason* reason, Disposition carried_out, std::string_view contact);

}  // namespace watchpost::border
