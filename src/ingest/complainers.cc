#include "ingest/complainers.h"

#include "base/hash.h"
#include "crypto/digest.h"
#include "feedback/reports/complaint_text.h"
#include "model/sent_at.h"
#include "model/suppression.h"

#include <chrono>
#include <cstring>
#include <optional>
#include <string>

#include <fmt/format.h>

namespace watchpost::ingest {
namespace {

// Who complains, of whose mail, sent when. Nothing where the event does not say who. Customers
// choose whom they write to: only a digest that nobody can bend keeps two people apart.
std::optional<EventId> person_of(const Event& event) {
  const std::string recipient = suppression_key(event[Field::recipient]);
  if (recipient.empty() || feedback::is_redacted(recipient)) return std::nullopt;
  const auto day = std::chrono::duration_cast<std::chrono::days>(sent_at(event).time_since_epoch());
  const crypto::Sha256 digest = crypto::sha256(
      fmt::format("complainer\n{}\n{}\n{}", day.count(), recipient, event[Field::customer]));
  EventId person;
  std::memcpy(&person.high, digest.data(), sizeof person.high);
  std::memcpy(&person.low, digest.data() + sizeof person.high, sizeof person.low);
  return person;
}

// Of a person's complaints, or of what takes them back, the one of that number, from 1.
EventId id_of(const EventId& person, EventKind kind, uint32_t number) {
  return hash128(fmt::format("{}\n{}\n{}", to_hex(person), name_of(kind), number));
}

}  // namespace

// They are numbered without a gap. The first are forgotten first: then all of the person is.
uint32_t Complainers::known_of(const EventId& person, EventKind kind) const {
  constexpr uint32_t kMost = 1U << 20;
  uint32_t known = 0;
  uint32_t unknown = 1;
  while (unknown < kMost && knows_(id_of(person, kind, unknown))) {
    known = unknown;
    unknown *= 2;
  }
  while (unknown - known > 1) {
    const uint32_t between = known + (unknown - known) / 2;
    (knows_(id_of(person, kind, between)) ? known : unknown) = between;
  }
  return known;
}

Complainers::Standing& Complainers::standing_of(const EventId& person) {
  const auto [at, fresh] = met_.try_emplace(person);
  if (!fresh) return at->second;
  at->second.complained = known_of(person, EventKind::complained);
  if (at->second.complained > 0) {
    at->second.withdrawn = known_of(person, EventKind::complaint_withdrawn);
  }
  return at->second;
}

void Complainers::mark(Event& event, std::vector<store::LastingId>& lasting, Time now) {
  event.repeated = false;
  const bool withdraws = event.kind == EventKind::complaint_withdrawn;
  if (!(withdraws || event.kind == EventKind::complained) || !is_proven(event)) return;
  const auto person = person_of(event);
  if (!person) return;
  Standing& standing = standing_of(*person);
  const bool before = standing.complains();
  if (withdraws && !before) {
    event.repeated = true;
    return;
  }
  const uint32_t number = withdraws ? ++standing.withdrawn : ++standing.complained;
  lasting.push_back({id_of(*person, event.kind, number), now});
  event.repeated = standing.complains() == before;
}

}  // namespace watchpost::ingest
