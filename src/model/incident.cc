#include "model/incident.h"

#include "base/text.h"
#include "model/notice.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

namespace watchpost {
namespace {

constexpr std::array<std::string_view, 8> kVerdicts{
    "none",    "compromised",    "bad_list",         "abusive_customer",
    "content", "receiver_fault", "monitoring_fault", "false_positive"};
constexpr std::array<std::string_view, 4> kStates{"proposed", "active", "expired", "revoked"};

// "d-17" with prefix "d-", or the bare number; 0 where it is neither.
uint64_t number_in(std::string_view text, std::string_view prefix) {
  if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  return read.ec == std::errc{} && read.ptr == text.data() + text.size() ? number : 0;
}

}  // namespace

std::string text_of(DecisionId id) { return fmt::format("d-{}", id.number); }
std::string text_of(IncidentId id) { return fmt::format("i-{}", id.number); }

std::optional<DecisionId> decision_id_from(std::string_view text) {
  const DecisionId id{number_in(text, "d-")};
  return id ? std::optional(id) : std::nullopt;
}
std::optional<IncidentId> incident_id_from(std::string_view text) {
  const IncidentId id{number_in(text, "i-")};
  return id ? std::optional(id) : std::nullopt;
}

std::string_view name_of(DecisionState state) { return kStates[static_cast<size_t>(state)]; }
std::optional<DecisionState> decision_state_from(std::string_view name) {
  const auto found = std::ranges::find(kStates, name);
  if (found == kStates.end()) return std::nullopt;
  return static_cast<DecisionState>(found - kStates.begin());
}

std::string_view name_of(Verdict verdict) { return kVerdicts[static_cast<size_t>(verdict)]; }

Result<Verdict> verdict_from(std::string_view name) {
  const auto found = std::ranges::find(kVerdicts, name);
  if (found != kVerdicts.end()) return static_cast<Verdict>(found - kVerdicts.begin());
  return fail(Code::bad_input, fmt::format("`{}` is not a verdict{}", escaped(name, 64),
                                           suggestion(name, kVerdicts)));
}

std::string_view name_of(Notice::State state) {
  switch (state) {
    case Notice::State::pending: return "pending";
    case Notice::State::sent: return "sent";
    case Notice::State::failed: return "failed";
  }
  return "failed";
}

std::string_view name_of(IncidentState state) {
  return state == IncidentState::open ? "open" : "closed";
}

}  // namespace watchpost
