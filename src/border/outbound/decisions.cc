#include "border/outbound/decisions.h"

#include "border/envelope.h"
#include "border/outbound/mail.h"
#include "decide/scope.h"

#include <algorithm>
#include <array>
#include <span>

namespace watchpost::border {
namespace {

constexpr std::array kOfRecipients{Field::recipient, Field::recipient_domain, Field::provider};
// Known at the end of a message alone, or mapped from what is.
constexpr std::array kOfContent{Field::customer, Field::campaign, Field::author_domain,
                                Field::subject_hash, Field::link_host};

// Such a decision could perhaps not be judged at its recipients.
bool names_both(const Decision& decision) {
  const auto has = [&](std::span<const Field> fields) {
    return std::ranges::any_of(decision.scope.parts, [&](const Stream::Part& part) {
      return std::ranges::find(fields, part.dimension) != fields.end();
    });
  };
  return has(kOfRecipients) && has(kOfContent);
}

}  // namespace

std::optional<Decision> OutboundDecisions::at_recipient(const Transaction& mail,
                                                        std::string_view recipient, Time now) {
  const auto active = active_.get();
  if (active->all().empty()) return std::nullopt;
  EventBatch batch;
  Event& event = session_event(mail, batch);
  event[Field::recipient] = recipient;
  mapping_.apply(event, batch);
  const Decision* const decision = judge_.refusing(*active, event, instance_of(mail), now);
  return decision == nullptr ? std::nullopt : std::optional(*decision);
}

std::optional<Decision> OutboundDecisions::at_end(const Transaction& mail, const Event& message,
                                                  EventBatch& batch, Time now) {
  const auto active = active_.get();
  if (active->all().empty()) return std::nullopt;
  const Decision* const decision = judge_.refusing(*active, message, instance_of(mail), now);
  if (decision != nullptr) return *decision;
  // Where recipients were left out of the list, nobody can say that all of them are meant.
  if (mail.recipients_dropped > 0 || std::ranges::none_of(active->all(), names_both)) {
    return std::nullopt;
  }
  return for_all_recipients(*active, mail, message, batch, now);
}

std::optional<Decision> OutboundDecisions::for_all_recipients(
    const enforce::ActiveDecisions& active, const Transaction& mail, const Event& message,
    EventBatch& batch, Time now) {
  const Decision* mildest = nullptr;
  for (const Recipient& recipient : mail.recipients) {
    Event event = message;
    event[Field::recipient] = recipient.address;
    mapping_.apply(event, batch);
    const Decision* const decision = judge_.refusing(active, event, instance_of(mail), now);
    if (decision == nullptr) return std::nullopt;
    if (mildest == nullptr || decide::stricter(mildest->measure, decision->measure)) {
      mildest = decision;
    }
  }
  return mildest == nullptr ? std::nullopt : std::optional(*mildest);
}

}  // namespace watchpost::border
