#pragma once
#include "border/inbound/facts.h"
#include "model/event.h"
#include "model/mail_verdict.h"

#include <string_view>

namespace watchpost::border {

// `judged` events about mail for us. Their texts are views into what they are made of; what mapping
// rules say of them is still to be added.
//   With what is known before the message's end: no recipient yet. Some texts are in `batch`.
Event inbound_event(const Transaction& mail, EventBatch& batch);
//   With what was found out. The first recipient stands for all.
Event inbound_event(const Facts& facts);

// The id of a message's event, of a milter of that name; of what is about one recipient alone with
// that one.
EventId inbound_event_id(std::string_view milter, const Transaction& mail,
                         std::string_view recipient = {});

}  // namespace watchpost::border
