#include "investigate/held_copies.h"

#include "base/text.h"

#include <algorithm>

#include <fmt/format.h>

namespace watchpost::investigate {

using quarantine::CopyState;
using quarantine::HeldMessage;
using quarantine::HeldSearch;
using quarantine::PacedStep;

const quarantine::Copy* copy_of(const HeldMessage& message, std::string_view recipient) {
  const auto found = std::ranges::find(message.copies, recipient, &quarantine::Copy::recipient);
  return found == message.copies.end() ? nullptr : &*found;
}

Result<Done> check_recipients(const HeldMessage& message, std::span<const std::string> recipients) {
  for (const std::string& one : recipients) {
    if (copy_of(message, one) == nullptr) {
      return fail(Code::not_found, "no copy of it is held for this recipient", escaped(one, 100));
    }
  }
  return Done{};
}

std::vector<std::string> meant_by(const HeldMessage& message,
                                  std::span<const std::string> recipients) {
  if (!recipients.empty()) return {recipients.begin(), recipients.end()};
  std::vector<std::string> waiting;
  for (const quarantine::Copy& copy : message.copies) {
    if (copy.state == CopyState::held || copy.state == CopyState::due) {
      waiting.push_back(copy.recipient);
    }
  }
  if (waiting.size() == message.copies.size()) waiting.clear();
  return waiting;
}

std::string copies_meant(const HeldMessage& message, std::span<const std::string> recipients) {
  const size_t meant = recipients.empty() ? message.copies.size() : recipients.size();
  return fmt::format("{} of {} copies", meant, message.copies.size());
}

std::vector<PacedStep> steps_of(const std::vector<Measure>& paces) {
  std::vector<PacedStep> steps;
  Duration after{0};
  for (const Measure& pace : paces) {
    steps.push_back({pace.share, after});
    after += pace.span;
  }
  steps.push_back({1, after});
  return steps;
}

LinkState link_state_of(const HeldMessage& message, const quarantine::Copy& copy) {
  switch (copy.state) {
    case CopyState::held:
      if (message.certain) return LinkState::gone;
      return copy.requested ? LinkState::asked : LinkState::can_ask;
    case CopyState::due:
    case CopyState::leaving:
    case CopyState::released: return LinkState::coming;
    case CopyState::discarded:
    case CopyState::expired: return LinkState::gone;
  }
  return LinkState::gone;
}

bool asks_for_something(const HeldSearch& search) {
  for (const std::string* const text :
       {&search.sender, &search.recipient, &search.subject, &search.reason, &search.rule,
        &search.disposition, &search.login, &search.customer, &search.campaign}) {
    if (!text->empty()) return true;
  }
  return search.since || search.until || search.decision || search.direction || search.least_size ||
         search.most_size || search.requested;
}

}  // namespace watchpost::investigate
