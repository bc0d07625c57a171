#include "border/outbound/decisions.h"

#include "border/envelope.h"
#include "border/outbound/mail.h"
#include "decide/scope.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <span>
#include <unordered_set>

namespace watchpost::border {
namespace {

constexpr std::array kOfRecipients{Field::recipient, Field::recipient_domain, Field::provider};
// Known at the end of a message alone, or mapped from what is.
constexpr std::array kOfContent{Field::customer, Field::campaign, Field::author_domain,
                                Field::subject_hash, Field::link_host};

// Such a decision could perhaps not be judged at its recipients.
bool is_hold(const Decision& decision) { return decision.measure.kind == MeasureKind::hold; }

bool names_both(const Decision& decision) {
  const auto has = [&](std::span<const Field> fields) {
    return std::ranges::any_of(decision.scope.parts, [&](const Stream::Part& part) {
      return std::ranges::find(fields, part.dimension) != fields.end();
    });
  };
  return has(kOfRecipients) && has(kOfContent);
}

}  // namespace

void hold_the_rest(const Decision& decision, const Transaction& mail, std::vector<Hold>& holds) {
  std::unordered_set<std::string_view> held;
  for (const Hold& one : holds) held.insert(one.recipients.begin(), one.recipients.end());
  std::vector<std::string> rest;
  for (const Recipient& one : mail.recipients) {
    if (!held.contains(one.address)) rest.push_back(one.address);
  }
  if (rest.empty()) return;
  auto hold =
      std::ranges::find(holds, decision.id, [](const Hold& one) { return one.decision.id; });
  if (hold == holds.end()) {
    hold = holds.insert(holds.end(), {.decision = decision, .recipients = {}});
  }
  std::ranges::move(rest, std::back_inserter(hold->recipients));
}

std::string rule_of(const Decision& decision) { return "decision " + text_of(decision.id); }

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

std::optional<Decision> OutboundDecisions::at_any_recipient(const Transaction& mail, Time now) {
  std::optional<Decision> strictest = at_recipient(mail, "", now);
  if (active_.get()->all().empty()) return strictest;
  for (const Recipient& one : mail.recipients) {
    auto next = at_recipient(mail, one.address, now);
    if (next && (!strictest || decide::stricter(next->measure, strictest->measure))) {
      strictest = std::move(next);
    }
  }
  return strictest;
}

const Decision* OutboundDecisions::hold_of(const enforce::ActiveDecisions& active,
                                           const Event& known, std::string_view recipient,
                                           Time now) const {
  EventBatch texts;
  Event event = known;
  event[Field::recipient] = recipient;
  mapping_.apply(event, texts);
  return active.longest_hold(event, now);
}

std::vector<Hold> OutboundDecisions::holds(const Transaction& mail, const Event& message,
                                           Time now) const {
  const auto active = active_.get();
  std::vector<Hold> found;
  if (std::ranges::none_of(active->all(), is_hold)) return found;
  EventBatch session;
  const Event& at_recipients = session_event(mail, session);
  for (const Recipient& one : mail.recipients) {
    const Decision* decision = hold_of(*active, message, one.address, now);
    // Who was let in under one does not slip out by what mapping rules find at the end.
    if (decision == nullptr) decision = hold_of(*active, at_recipients, one.address, now);
    if (decision == nullptr) continue;
    auto hold = std::ranges::find(found, decision->id,
                                  [](const Hold& one_found) { return one_found.decision.id; });
    if (hold == found.end()) hold = found.insert(found.end(), {.decision = *decision});
    hold->recipients.push_back(one.address);
  }
  return found;
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
