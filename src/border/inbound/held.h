#pragma once
#include "border/held_mail.h"
#include "border/inbound/judge.h"
#include "border/milter/transaction.h"
#include "model/event.h"

#include <string_view>

namespace watchpost::border {

// The copies that a judged message's plan keeps, as the quarantine gets them, with all that people
// should see of them later. Pure.
HeldMail held_mail(std::string_view milter, Mode mode, const Judged& judged);

// The event of a message that was held and is released: it is told as it was when it first came,
// and it counts for nobody a second time. All texts are in `batch`; mapping rules were not asked.
Event& released_event(const Transaction& mail, const quarantine::HeldMessage& held,
                      EventBatch& batch);

}  // namespace watchpost::border
