#include "feedback/formats/event_json.h"

#include "base/hash.h"
#include "base/text.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

namespace watchpost::feedback {
namespace {

namespace dom = simdjson::dom;

constexpr size_t kLongestId = 512;
constexpr size_t kMostIgnoredNames = 16;
constexpr size_t kDeepest = 16;                    // of values within values
constexpr uint64_t kMostSize = uint64_t{1} << 53;  // what every JSON reader takes exactly
constexpr double kLongestDelay = 1e9;              // seconds
constexpr uint64_t kIdSeed = 0x6576656e742d6964;   // keeps these ids apart from other hashes
constexpr std::string_view kOwnId = "watchpost:";  // before an id that to_json wrote
constexpr Time kFirstTime = std::chrono::sys_days(std::chrono::year(1970) / 1 / 1);
constexpr Time kLastTime = std::chrono::sys_days(std::chrono::year(10000) / 1 / 1) - Duration(1);

// The keys that are not text fields; numbered behind them.
enum Key : uint8_t {
  v = kTextFields,
  id,
  at,
  kind,
  direction,
  self_inflicted,
  clock_suspect,
  repeated,
  reply_code,
  recipients,
  size,
  delay,
};
constexpr std::array<std::pair<std::string_view, Key>, 12> kOtherKeys{
    {{"v", v},
     {"id", id},
     {"at", at},
     {"kind", kind},
     {"direction", direction},
     {"self_inflicted", self_inflicted},
     {"clock_suspect", clock_suspect},
     {"repeated", repeated},
     {"reply_code", reply_code},
     {"recipients", recipients},
     {"size", size},
     {"delay", delay}}};
constexpr size_t kKeys = kTextFields + kOtherKeys.size();
constexpr std::array<std::string_view, 2> kDirections{"outbound", "inbound"};
constexpr std::array<std::string_view, 2> kOutcomes{"success", "failure"};

// Name of a key -> its number, in one probe as a rule.
class KeyTable {
 public:
  KeyTable() {
    slots_.fill(kNone);
    for (const FieldInfo& field : watchpost::fields())
      put(field.name, static_cast<uint8_t>(field.field));
    for (const auto& [name, key] : kOtherKeys) put(name, key);
  }
  static constexpr uint8_t kNone = 0xFF;
  uint8_t find(std::string_view name) const {
    for (size_t slot = slot_of(name); slots_[slot] != kNone; slot = (slot + 1) % kSlots) {
      if (names_[slots_[slot]] == name) return slots_[slot];
    }
    return kNone;
  }

 private:
  static constexpr size_t kSlots = 256;
  static size_t slot_of(std::string_view name) {
    if (name.empty()) return 0;
    const auto byte = [&](size_t i) { return static_cast<unsigned char>(name[i]); };
    return (byte(0) * 31u + byte(name.size() - 1) * 7u + byte(name.size() / 2) * 3u +
            name.size() * 61u) %
           kSlots;
  }
  void put(std::string_view name, uint8_t number) {
    size_t slot = slot_of(name);
    while (slots_[slot] != kNone) slot = (slot + 1) % kSlots;
    slots_[slot] = number;
    names_[number] = name;
  }
  std::array<uint8_t, kSlots> slots_;
  std::array<std::string_view, kKeys> names_;
};

std::string name_of_key(uint8_t key) {
  if (key < kTextFields) return std::string(name_of(static_cast<Field>(key)));
  return std::string(kOtherKeys[key - kTextFields].first);
}

std::unexpected<Error> bad(uint8_t key, std::string what) {
  return fail(Code::bad_input, std::move(what), name_of_key(key));
}
std::unexpected<Error> not_json(simdjson::error_code error) {
  return fail(Code::bad_input,
              fmt::format("not one JSON object: {}", simdjson::error_message(error)));
}

void lower_in_place(std::string& text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
}

}  // namespace

struct EventJsonReader::State {
  const Classifier& classifier;
  std::string source_name;
  // The DOM parser and not the on-demand one: it is the one that picks the machine's instruction
  // set when it runs, and it refuses what is not JSON in any part of the object.
  dom::parser parser{kMostBytes};
  std::vector<char> padded = std::vector<char>(kMostBytes + simdjson::SIMDJSON_PADDING);
  KeyTable keys;
  IgnoredKeys ignored;
};

namespace {

// One object on its way into one event.
class ObjectReading {
 public:
  ObjectReading(Event& event, EventBatch& batch) : event_(event), batch_(batch) {}

  Result<Done> take(uint8_t key, dom::element value) {
    if (seen_[key]) return bad(key, "stands there twice");
    seen_[key] = true;
    if (value.is_null()) {
      seen_null_[key] = true;
      return Done{};
    }
    if (key < kTextFields) return take_field(static_cast<Field>(key), value);
    switch (static_cast<Key>(key)) {
      case v: return take_version(value);
      case id: return take_id(value);
      case at: return take_time(value);
      case kind: return take_kind(value);
      case direction: return take_direction(value);
      case self_inflicted: return take_flag(key, value, event_.self_inflicted);
      case clock_suspect: return take_flag(key, value, event_.clock_suspect);
      case repeated: return take_flag(key, value, event_.repeated);
      case reply_code: return take_number(key, value, 599, event_.reply_code);
      case recipients: return take_number(key, value, 0xFFFFFFFF, event_.recipients);
      case size: return take_number(key, value, kMostSize, event_.size);
      case delay: return take_delay(value);
    }
    return Done{};
  }

  // What can be said only when all keys have been seen.
  Result<Done> finish(const Classifier& classifier, std::string_view source,
                      const Hash128& line_id) {
    for (const Key key : {at, kind}) {
      if (!seen_[key] || seen_null_[key]) return bad(key, "is missing");
    }
    if (event_.kind == EventKind::login) {
      const std::string_view outcome = event_[Field::outcome];
      if (!outcome.empty() && std::ranges::find(kOutcomes, outcome) == kOutcomes.end()) {
        return bad(static_cast<uint8_t>(Field::outcome),
                   fmt::format("`{}` is neither success nor failure{}", escaped(outcome, 60),
                               suggestion(outcome, kOutcomes)));
      }
    }
    if (event_[Field::source].empty()) event_[Field::source] = batch_.keep(source);
    give_class(classifier);
    if (!event_.id) event_.id = own_id_.empty() ? line_id : made_id();
    return Done{};
  }

 private:
  // Two sources may use the same ids for different things, hence the source in it.
  EventId made_id() const {
    std::string text(event_[Field::source]);
    text += '\0';
    text += own_id_;
    return hash128(text, kIdSeed);
  }

  void give_class(const Classifier& classifier) {
    if (!event_[Field::class_].empty()) {
      if (event_[Field::class_rule].empty()) event_[Field::class_rule] = "given";
      return;
    }
    if (event_.kind != EventKind::bounced && event_.kind != EventKind::deferred &&
        event_.kind != EventKind::expired) {
      return;
    }
    const ReplyVerdict verdict = classifier.classify(reply_of(event_));
    // Copied: a batch may outlive the rules that judged it, when they are replaced.
    event_[Field::class_] = batch_.keep(verdict.class_name);
    event_[Field::class_rule] = batch_.keep(verdict.rule);
  }

  static Result<std::string_view> text(uint8_t key, dom::element value) {
    std::string_view text;
    if (value.get_string().get(text)) return bad(key, "must be text");
    return text;
  }

  Result<Done> take_field(Field field, dom::element value) {
    const auto key = static_cast<uint8_t>(field);
    auto found = text(key, value);
    if (!found) return fail(found.error());
    std::string_view taken = *found;
    if (field == Field::class_ && !taken.empty()) {
      const auto known = reply_class_names();
      const auto same = std::ranges::find(known, taken);
      if (same == known.end()) {
        return bad(key, fmt::format("`{}` is not a known class{}", escaped(taken, 60),
                                    suggestion(taken, known)));
      }
      event_[field] = *same;
      return Done{};
    }
    if (field == Field::message_id) {
      while (taken.size() >= 2 && taken.front() == '<' && taken.back() == '>') {
        taken = taken.substr(1, taken.size() - 2);
      }
    }
    if (field == Field::from_domain || field == Field::recipient_domain) {
      std::string lower(taken);
      lower_in_place(lower);
      event_[field] = batch_.keep(lower);
      return Done{};
    }
    event_[field] = batch_.keep(taken);
    return Done{};
  }

  Result<Done> take_version(dom::element value) {
    uint64_t version = 0;
    if (value.get_uint64().get(version) || version != 1) {
      return bad(v, "must be 1, the only version of the format there is");
    }
    return Done{};
  }

  Result<Done> take_id(dom::element value) {
    const auto found = text(id, value);
    if (!found) return fail(found.error());
    if (found->empty()) return bad(id, "is empty; leave it out where there is none");
    if (found->size() > kLongestId) {
      return bad(id, fmt::format("is longer than {} bytes", kLongestId));
    }
    if (!found->starts_with(kOwnId)) {
      own_id_ = *found;
      return Done{};
    }
    event_.id = hash128_from_hex(found->substr(kOwnId.size()));
    if (!event_.id) {
      return bad(id, "begins with watchpost: but is not an id that Watchpost wrote");
    }
    return Done{};
  }

  Result<Done> take_time(dom::element value) {
    const auto found = text(at, value);
    if (!found) return fail(found.error());
    const auto time = parse_time(*found);
    if (!time || *time < kFirstTime || *time > kLastTime) {
      return bad(at, fmt::format("`{}` is not a time; write for example 2026-11-24T02:45:21.5Z",
                                 escaped(*found, 60)));
    }
    event_.at = *time;
    return Done{};
  }

  Result<Done> take_kind(dom::element value) {
    const auto found = text(kind, value);
    if (!found) return fail(found.error());
    const auto named = event_kind_from(*found);
    if (!named) {
      return bad(kind, fmt::format("`{}` is not a kind of event{}", escaped(*found, 60),
                                   suggestion(*found, event_kind_names())));
    }
    event_.kind = *named;
    return Done{};
  }

  Result<Done> take_direction(dom::element value) {
    const auto found = text(direction, value);
    if (!found) return fail(found.error());
    if (std::ranges::find(kDirections, *found) == kDirections.end()) {
      return bad(direction, fmt::format("`{}` is neither outbound nor inbound{}",
                                        escaped(*found, 60), suggestion(*found, kDirections)));
    }
    event_.direction = *found == "inbound" ? Direction::inbound : Direction::outbound;
    return Done{};
  }

  static Result<Done> take_flag(uint8_t key, dom::element value, bool& flag) {
    if (value.get_bool().get(flag)) return bad(key, "must be true or false");
    return Done{};
  }

  template <class Number>
  static Result<Done> take_number(uint8_t key, dom::element value, uint64_t most, Number& number) {
    uint64_t found = 0;
    if (value.get_uint64().get(found) || found > most) {
      return bad(key, fmt::format("must be a whole number from 0 to {}", most));
    }
    number = static_cast<Number>(found);
    return Done{};
  }

  Result<Done> take_delay(dom::element value) {
    double found = 0;
    if (value.get_double().get(found) || !(found >= 0 && found <= kLongestDelay)) {
      return bad(delay, "must be a number of seconds from 0 to 1000000000");
    }
    event_.delay = found;
    return Done{};
  }

  Event& event_;
  EventBatch& batch_;
  std::bitset<kKeys> seen_;
  std::bitset<kKeys> seen_null_;
  std::string_view own_id_;  // into the parser's buffer, which lives as long as this
};

void ignore(EventJsonReader::IgnoredKeys& ignored, std::string_view name) {
  ++ignored.count;
  if (ignored.names.size() >= kMostIgnoredNames) return;
  std::string shown = escaped(name, 60);
  if (std::ranges::find(ignored.names, shown) == ignored.names.end()) {
    ignored.names.push_back(std::move(shown));
  }
}

}  // namespace

EventJsonReader::EventJsonReader(const Classifier& classifier, std::string source_name)
    : state_(new State{.classifier = classifier, .source_name = std::move(source_name)}) {
  const auto error = state_->parser.allocate(kMostBytes, kDeepest);
  WP_CHECK(error == simdjson::SUCCESS);  // only memory can be short here
}
EventJsonReader::EventJsonReader(EventJsonReader&&) noexcept = default;
EventJsonReader::~EventJsonReader() = default;

const EventJsonReader::IgnoredKeys& EventJsonReader::ignored() const { return state_->ignored; }

Result<Done> EventJsonReader::read(std::string_view object, const Hash128& line_id,
                                   EventBatch& into) {
  if (object.size() > kMostBytes) {
    return fail(Code::bad_input, fmt::format("the object is longer than {} bytes", kMostBytes));
  }
  std::memcpy(state_->padded.data(), object.data(), object.size());
  std::memset(state_->padded.data() + object.size(), ' ', simdjson::SIMDJSON_PADDING);
  Event& event = into.add();
  Result<Done> done = read_padded(object.size(), line_id, event, into);
  if (!done) into.drop_last();
  return done;
}

Result<Done> EventJsonReader::read_padded(size_t size_of_object, const Hash128& line_id,
                                          Event& event, EventBatch& batch) {
  dom::object object;
  constexpr bool kAlreadyPadded = false;  // nothing to copy or enlarge
  if (const auto error =
          state_->parser.parse(state_->padded.data(), size_of_object, kAlreadyPadded).get(object)) {
    return not_json(error);
  }
  ObjectReading reading(event, batch);
  for (const auto& [name, value] : object) {
    const uint8_t key = state_->keys.find(name);
    if (key == KeyTable::kNone) {
      ignore(state_->ignored, name);
    } else if (auto taken = reading.take(key, value); !taken) {
      return taken;
    }
  }
  return reading.finish(state_->classifier, state_->source_name, line_id);
}

}  // namespace watchpost::feedback
