#pragma once
#include "auth/results/authors.h"
#include "border/gate.h"
#include "border/milter/transaction.h"
#include "border/outbound/authors.h"
#include "border/traits.h"
#include "mime/message.h"
#include "model/event.h"

#include <string>
#include <string_view>
#include <vector>

namespace watchpost::border {

// A message of a login, looked at. Views into the transaction's bytes.
struct OutboundMail {
  mime::Message message;
  auth::Authors authors;
  Traits traits;
  Authorship authorship = Authorship::own;
  // Words of hygiene.h and authors.h, and `large`: it was cut, what is missing was not looked at.
  std::vector<std::string_view> findings;
};

// Total; the work is bounded by the message. `suffixes` may be null.
OutboundMail look_at(const Transaction& mail, const Rules& rules,
                     const auth::PublicSuffixes* suffixes);

// What the session says, as the reader of logs has it of the same message. All texts are copied
// into `batch`; mapping rules have not been asked.
Event& session_event(const Transaction& mail, EventBatch& batch);
// The same with what the message itself says.
Event& message_event(const Transaction& mail, const OutboundMail& looked_at, EventBatch& batch);

}  // namespace watchpost::border
