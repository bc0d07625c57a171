#pragma once
#include "base/hash.h"
#include "base/time.h"

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost {

enum class EventKind : uint8_t {
  accepted,             // a message came in for sending (outbound) or delivery (inbound)
  delivered,            // the next hop took it
  deferred,             // not now; will be tried again
  bounced,              // refused for good
  expired,              // given up after too many deferrals
  complained,           // the recipient, or the provider for them, called it spam
  complaint_withdrawn,  // ARF not-spam (RFC 5965 section 7.3)
  unsubscribed,
  rejected,  // we refused it at the door
  login,     // somebody authenticated, or failed to; see Field::outcome
  judged,    // a border verdict
  reported,  // an abuse report
};
inline constexpr size_t kEventKinds = 12;
std::string_view name_of(EventKind kind);
// Of a delivery: it was not to be, or not yet.
constexpr bool is_failure(EventKind kind) {
  return kind == EventKind::deferred || kind == EventKind::bounced || kind == EventKind::expired;
}
std::optional<EventKind> event_kind_from(std::string_view name);
std::span<const std::string_view> event_kind_names();  // in the order of the enum

enum class Direction : uint8_t { outbound, inbound };
std::string_view name_of(Direction direction);

// The text fields of an event. All else that speaks of fields (the rule language, JSON, the store,
// the reference) reads kFields below.
enum class Field : uint8_t {
  source,
  host,
  service,
  queue_id,
  message_id,
  sender,
  from_domain,
  recipient,
  original_recipient,
  recipient_domain,
  provider,
  customer,
  campaign,
  credential,
  client_ip,
  source_ip,
  peer_ip,
  peer_host,
  class_,
  class_rule,
  status,
  stage,
  reply,
  outcome,
  method,
  client_network,
  client_country,
  reporter,
  attribution,
  proof,
  author_domain,
  signer,
  subject_hash,
  link_host,
  disposition,
  findings,
};
inline constexpr size_t kTextFields = 36;

struct FieldInfo {
  Field field;
  std::string_view name;
  bool dimension;  // may stand in `watch`
  std::string_view help;
};
// In the order of the enum.
std::span<const FieldInfo, kTextFields> fields();
std::string_view name_of(Field field);
std::optional<Field> field_from(std::string_view name);

// The known values of Field::class_: what an SMTP reply means. docs/reference/bounce-classes.md.
std::span<const std::string_view> reply_class_names();

// Who an event is, for "read twice counts once": derived from its source and position there, or
// from the provider's own id.
using EventId = Hash128;

// One thing that happened to one message for one recipient, or to one login. Never changed after it
// is stored.
//   Owns: no text. Its views point into the EventBatch that carries it; to keep an event, copy it
//   into
//         a batch of your own (EventBatch::copy).
struct Event {
  EventId id;
  Time at;  // when it happened, not when it was read
  EventKind kind = EventKind::accepted;
  Direction direction = Direction::outbound;
  // Caused by Watchpost itself (our own hold, suspension or suppression seen again in a log): kept
  // and shown, never evidence.
  bool self_inflicted = false;
  // A complaint of somebody who complained before about mail of that customer sent that day: people
  // are counted in rates, messages in bursts.
  bool repeated = false;
  // Its own time was out of bounds and `at` is the time it was read instead.
  bool clock_suspect = false;
  uint16_t reply_code = 0;  // SMTP, 0 where unknown
  uint32_t recipients = 0;  // of the message, where known
  uint64_t size = 0;        // of the message in bytes, 0 where unknown
  double delay = 0;         // seconds from arrival to this event

  std::string_view operator[](Field field) const { return text[static_cast<size_t>(field)]; }
  std::string_view& operator[](Field field) { return text[static_cast<size_t>(field)]; }

  std::array<std::string_view, kTextFields> text{};  // empty: not known
};

// What Field::proof says of feedback that proved itself.
inline constexpr std::string_view kProvenByToken = "token";  // our own, in the mail it is about
inline constexpr std::string_view kProvenByReporter = "reporter";  // a listed reporter's signature
// Feedback that did not prove itself is kept and shown, and moves no detector: anybody can write
// mail that looks like a complaint.
inline bool is_proven(const Event& event) {
  const std::string_view proof = event[Field::proof];
  return proof.empty() || proof == kProvenByToken || proof == kProvenByReporter;
}

// Events with the bytes that their texts point into.
//   Use:     a source fills one, the pipeline consumes it whole; clear() and fill again.
//   Threads: none inside; moves from thread to thread as a whole. Moving it keeps all views valid.
class EventBatch {
 public:
  EventBatch() = default;
  EventBatch(EventBatch&&) noexcept = default;
  EventBatch& operator=(EventBatch&&) noexcept = default;

  // A new event at the end. The reference is good until the next add().
  Event& add() { return events_.emplace_back(); }
  void drop_last() { events_.pop_back(); }
  // A copy of `text` that lives as long as this batch (or until clear()).
  std::string_view keep(std::string_view text);
  // A copy of `event` with all its text.
  Event& copy(const Event& event);
  void clear();

  bool empty() const { return events_.empty(); }
  size_t size() const { return events_.size(); }
  std::span<const Event> events() const { return events_; }
  std::span<Event> events() { return events_; }
  size_t text_bytes() const { return text_bytes_; }

 private:
  struct Block {
    std::unique_ptr<char[]> bytes;
    size_t size = 0;
  };
  std::vector<Event> events_;
  std::vector<Block> blocks_;
  size_t block_ = 0;  // the one being filled
  size_t used_ = 0;   // of it
  size_t text_bytes_ = 0;
};

}  // namespace watchpost
