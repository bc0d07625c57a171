#pragma once
#include "border/inbound/facts.h"
#include "model/event.h"
#include "model/mail_verdict.h"

#include <string_view>

namespace watchpost::border {

// Events about mail for us. Their texts are views into what they were made of, and into `batch`;
// what mapping rules say of them is still to be added. A message has the same id each time.
//   `judged`, with what is known before its end: no recipient yet.
Event& inbound_event(const Transaction& mail, EventBatch& batch);
// The same, with what was found out. The first recipient stands for all.
Event& inbound_event(const Facts& facts, EventBatch& batch);

// The id of a message's event, of a milter of that name.
EventId inbound_event_id(std::string_view milter, const Transaction& mail);

}  // namespace watchpost::border
