#include "store/event_row.h"

#include "base/hash.h"
#include "store/encoding.h"

#include <array>
#include <bit>
#include <cstring>
#include <optional>

namespace watchpost::store {
namespace {

// The first byte of a body.
constexpr unsigned kInbound = 1;
constexpr unsigned kSelfInflicted = 2;
constexpr unsigned kClockSuspect = 4;
constexpr unsigned kReplyCode = 8;  // this one and those below: the number follows
constexpr unsigned kRecipients = 16;
constexpr unsigned kSize = 32;
constexpr unsigned kDelay = 64;
constexpr unsigned kRepeated = 128;

constexpr size_t kIdBytes = 16;

// The numbers of fields on disk: never changed, never used again.
constexpr uint8_t tag_of(Field field) {
  switch (field) {
    case Field::source: return 1;
    case Field::host: return 2;
    case Field::service: return 3;
    case Field::queue_id: return 4;
    case Field::message_id: return 5;
    case Field::sender: return 6;
    case Field::from_domain: return 7;
    case Field::recipient: return 8;
    case Field::original_recipient: return 9;
    case Field::recipient_domain: return 10;
    case Field::provider: return 11;
    case Field::customer: return 12;
    case Field::campaign: return 13;
    case Field::credential: return 14;
    case Field::client_ip: return 15;
    case Field::source_ip: return 16;
    case Field::peer_ip: return 17;
    case Field::peer_host: return 18;
    case Field::class_: return 19;
    case Field::class_rule: return 20;
    case Field::status: return 21;
    case Field::stage: return 22;
    case Field::reply: return 23;
    case Field::outcome: return 24;
    case Field::method: return 25;
    case Field::client_network: return 26;
    case Field::client_country: return 27;
    case Field::reporter: return 28;
    case Field::attribution: return 29;
    case Field::proof: return 30;
    case Field::author_domain: return 31;
    case Field::signer: return 32;
    case Field::subject_hash: return 33;
    case Field::link_host: return 34;
    case Field::disposition: return 35;
    case Field::findings: return 36;
  }
  return 0;
}
constexpr uint8_t kHighestTag = 36;

constexpr auto kTags = [] {
  std::array<uint8_t, kTextFields> tags{};
  for (size_t i = 0; i < kTextFields; ++i) tags[i] = tag_of(static_cast<Field>(i));
  return tags;
}();
// Index into Event::text, or -1.
constexpr auto kFieldOfTag = [] {
  std::array<int8_t, kHighestTag + 1> found{};
  for (int8_t& field : found) field = -1;
  for (size_t i = 0; i < kTextFields; ++i) found[kTags[i]] = static_cast<int8_t>(i);
  return found;
}();

constexpr std::array kSearchable{Field::message_id, Field::queue_id,   Field::original_recipient,
                                 Field::recipient,  Field::credential, Field::client_ip,
                                 Field::campaign,   Field::customer,   Field::class_};

unsigned flags_of(const Event& event) {
  unsigned flags = 0;
  if (event.direction == Direction::inbound) flags |= kInbound;
  if (event.self_inflicted) flags |= kSelfInflicted;
  if (event.clock_suspect) flags |= kClockSuspect;
  if (event.repeated) flags |= kRepeated;
  if (event.reply_code != 0) flags |= kReplyCode;
  if (event.recipients != 0) flags |= kRecipients;
  if (event.size != 0) flags |= kSize;
  if (std::bit_cast<uint64_t>(event.delay) != 0) flags |= kDelay;
  return flags;
}

char* put_word(char* to, uint64_t word) {
  for (int i = 0; i < 8; ++i) *to++ = static_cast<char>(word >> (8 * i));
  return to;
}

uint64_t word_at(const char* from) {
  uint64_t word = 0;
  for (int i = 0; i < 8; ++i) {
    word |= static_cast<uint64_t>(static_cast<unsigned char>(from[i])) << (8 * i);
  }
  return word;
}

std::unexpected<Error> not_an_event() {
  return fail(Code::corrupt, "a stored event is not what was written");
}

bool take_numbers(unsigned flags, std::string_view& rest, Event& event) {
  uint64_t number = 0;
  if ((flags & kReplyCode) != 0) {
    if (!take_varint(rest, number) || number > UINT16_MAX) return false;
    event.reply_code = static_cast<uint16_t>(number);
  }
  if ((flags & kRecipients) != 0) {
    if (!take_varint(rest, number) || number > UINT32_MAX) return false;
    event.recipients = static_cast<uint32_t>(number);
  }
  if ((flags & kSize) != 0 && !take_varint(rest, event.size)) return false;
  if ((flags & kDelay) != 0) {
    if (rest.size() < 8) return false;
    event.delay = std::bit_cast<double>(word_at(rest.data()));
    rest.remove_prefix(8);
  }
  return true;
}

bool take_texts(std::string_view rest, Event& event) {
  unsigned last = 0;
  while (!rest.empty()) {
    const auto tag = static_cast<unsigned char>(rest.front());
    rest.remove_prefix(1);
    uint64_t size = 0;
    if (tag <= last || tag > kHighestTag || kFieldOfTag[tag] < 0) return false;
    if (!take_varint(rest, size) || size == 0 || size > rest.size()) return false;
    event.text[static_cast<size_t>(kFieldOfTag[tag])] = rest.substr(0, size);
    rest.remove_prefix(size);
    last = tag;
  }
  return true;
}

}  // namespace

std::string_view EventEncoder::encode(const Event& event) {
  size_t most = 1 + kIdBytes + 3 * kVarintMost + sizeof event.delay;
  for (const std::string_view text : event.text) most += 1 + kVarintMost + text.size();
  if (most > size_) {
    size_ = std::max(most * 2, size_t{4096});
    bytes_ = std::make_unique_for_overwrite<char[]>(size_);
  }
  char* to = bytes_.get();
  const unsigned flags = flags_of(event);
  *to++ = static_cast<char>(flags);
  to = put_word(put_word(to, event.id.high), event.id.low);
  if ((flags & kReplyCode) != 0) to = put_varint(to, event.reply_code);
  if ((flags & kRecipients) != 0) to = put_varint(to, event.recipients);
  if ((flags & kSize) != 0) to = put_varint(to, event.size);
  if ((flags & kDelay) != 0) to = put_word(to, std::bit_cast<uint64_t>(event.delay));
  for (size_t tag = 1; tag <= kHighestTag; ++tag) {
    if (kFieldOfTag[tag] < 0) continue;
    const std::string_view text = event.text[static_cast<size_t>(kFieldOfTag[tag])];
    if (text.empty()) continue;
    *to++ = static_cast<char>(tag);
    to = put_varint(to, text.size());
    std::memcpy(to, text.data(), text.size());
    to += text.size();
  }
  return {bytes_.get(), static_cast<size_t>(to - bytes_.get())};
}

Result<EventId> event_id_of(std::string_view body) {
  if (body.size() < 1 + kIdBytes) return not_an_event();
  return EventId{word_at(body.data() + 1), word_at(body.data() + 9)};
}

Result<std::string_view> event_text_of(std::string_view body, Field field) {
  if (body.size() < 1 + kIdBytes) return not_an_event();
  Event skipped;
  std::string_view rest = body.substr(1 + kIdBytes);
  if (!take_numbers(static_cast<unsigned char>(body.front()), rest, skipped)) return not_an_event();
  const unsigned wanted = tag_of(field);
  while (!rest.empty()) {
    const auto tag = static_cast<unsigned char>(rest.front());
    if (tag > wanted) break;  // they come in the order of their numbers
    rest.remove_prefix(1);
    uint64_t size = 0;
    if (!take_varint(rest, size) || size == 0 || size > rest.size()) return not_an_event();
    if (tag == wanted) return rest.substr(0, size);
    rest.remove_prefix(size);
  }
  return std::string_view();
}

Result<Done> decode_event(std::string_view body, Event& event) {
  if (body.size() < 1 + kIdBytes) return not_an_event();
  const auto flags = static_cast<unsigned char>(body.front());
  event = Event{.at = event.at, .kind = event.kind};
  event.id = {word_at(body.data() + 1), word_at(body.data() + 9)};
  event.direction = (flags & kInbound) != 0 ? Direction::inbound : Direction::outbound;
  event.self_inflicted = (flags & kSelfInflicted) != 0;
  event.clock_suspect = (flags & kClockSuspect) != 0;
  event.repeated = (flags & kRepeated) != 0;
  std::string_view rest = body.substr(1 + kIdBytes);
  if (!take_numbers(flags, rest, event) || !take_texts(rest, event)) return not_an_event();
  return Done{};
}

int64_t number_of(EventKind kind) {
  switch (kind) {
    case EventKind::accepted: return 1;
    case EventKind::delivered: return 2;
    case EventKind::deferred: return 3;
    case EventKind::bounced: return 4;
    case EventKind::expired: return 5;
    case EventKind::complained: return 6;
    case EventKind::complaint_withdrawn: return 7;
    case EventKind::unsubscribed: return 8;
    case EventKind::rejected: return 9;
    case EventKind::login: return 10;
    case EventKind::judged: return 11;
    case EventKind::reported: return 12;
  }
  return 0;
}

Result<EventKind> event_kind_of(int64_t number) {
  for (size_t i = 0; i < kEventKinds; ++i) {
    const auto kind = static_cast<EventKind>(i);
    if (number_of(kind) == number) return kind;
  }
  return not_an_event();
}

std::span<const Field> searchable_fields() { return kSearchable; }

// 47 bits: enough to tell the values of one run apart, and short as a delta.
constexpr uint64_t kKeyBits = (uint64_t{1} << 47) - 1;

uint64_t search_key(Field field, std::string_view value) {
  const uint64_t key = hash64(value, tag_of(field)) & kKeyBits;
  return key == kEveryRow ? 1 : key;
}

uint64_t search_key(EventKind kind) {
  if (kind == EventKind::accepted || kind == EventKind::delivered) return kEveryRow;
  const uint64_t key = hash64(name_of(kind)) & kKeyBits;
  return key == kEveryRow ? 1 : key;
}

}  // namespace watchpost::store
