#pragma once
#include "border/dispositions.h"
#include "border/inbound/reason.h"
#include "border/milter/transaction.h"
#include "border/plan.h"
#include "border/settings.h"
#include "model/mail_verdict.h"
#include "relate/reputation.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::border {

// Strictest first, what is in force before what is not. A filter that accepts and enforces is an
// exception: it takes the place of policy and of other filters, never of decisions or trouble; what
// it takes the place of stays in sight, and is no evidence against anybody. One for some of the
// message's `recipients` alone takes the place of the same for these. Pure.
void weigh(std::vector<Reason>& reasons, std::span<const Recipient> recipients);

// The strictest that is in force. Of weighed reasons. Pure.
Disposition decided_by(const std::vector<Reason>& reasons);
// Null: nothing that is in force wants more than to accept it.
const Reason* deciding(const std::vector<Reason>& reasons);

// Whether it holds for a recipient of the message.
bool holds_for(const VerdictReason& reason, std::string_view recipient);
// Those of weighed reasons that hold for any of these recipients.
std::vector<Reason> reasons_for(const std::vector<Reason>& reasons,
                                std::span<const std::string> recipients);
// What is done for each recipient by the reasons in force that hold for it; where all of them hold
// for everybody, one share stands for all. Pure.
std::vector<Share> shares_of(const std::vector<Reason>& reasons,
                             std::span<const Recipient> recipients, const CarryingOut& how);

// What a message came to for those who vouch for it; nothing where Watchpost or trouble decided.
std::optional<relate::Deed> deed_of(const std::vector<Reason>& reasons);

// The reply by which a message is refused, for good or for now: one line, of our own words.
std::string reply_of(const Reason* reason, Disposition carried_out, std::string_view contact);

}  // namespace watchpost::border
