#include "border/inbound/decisions.h"

#include "border/dispositions.h"
#include "border/envelope.h"
#include "border/inbound/event.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace watchpost::border {
namespace {

Reason reason_of(const Decision& decision, std::string_view contact) {
  const std::string id = text_of(decision.id);
  return {.said = {.rule = fmt::format("decision {}", id),
                   .wants = disposition_of(decision.measure),
                   .in_force = true,
                   .words = fmt::format("{} of {}: {}", decision.measure.text(),
                                        decision.scope.text(), decision.because)},
          .source = Source::decision,
          .evidence = false,
          .reply = enforce::action_for(decision, contact)};
}

void keep_strictest(std::optional<Reason>& kept, std::optional<Reason> next) {
  if (!next || (kept && next->said.wants <= kept->said.wants)) return;
  kept = std::move(next);
}

}  // namespace

std::optional<Reason> InboundDecisions::judged(const enforce::ActiveDecisions& active,
                                               const Event& event, const std::string& instance,
                                               std::string_view contact, Time now) {
  const Decision* const decision = judge_.refusing(active, event, instance, now);
  if (decision == nullptr) return std::nullopt;
  return reason_of(*decision, contact);
}

std::optional<Reason> InboundDecisions::at_recipient(const Transaction& mail,
                                                     std::string_view recipient,
                                                     std::string_view contact, Time now) {
  const auto active = active_.get();
  if (active->all().empty()) return std::nullopt;
  EventBatch batch;
  Event event = inbound_event(mail, batch);
  event[Field::recipient] = recipient;
  mapping_.apply(event, batch);
  return judged(*active, event, instance_of(mail), contact, now);
}

std::optional<Reason> InboundDecisions::at_end(const Facts& facts, std::string_view contact,
                                               Time now) {
  const auto active = active_.get();
  if (active->all().empty()) return std::nullopt;
  const Transaction& mail = *facts.transaction;
  const std::string instance = instance_of(mail);
  EventBatch texts;
  const Event whole = inbound_event(facts);
  std::optional<Reason> strictest;
  // Once where there is none, too: a decision need not be about a recipient.
  for (size_t i = 0; i < std::max<size_t>(mail.recipients.size(), 1); ++i) {
    texts.clear();
    Event event = whole;
    if (!mail.recipients.empty()) event[Field::recipient] = mail.recipients[i].address;
    mapping_.apply(event, texts);
    keep_strictest(strictest, judged(*active, event, instance, contact, now));
    if (strictest && strictest->said.wants == Disposition::reject) break;
  }
  return strictest;
}

}  // namespace watchpost::border
