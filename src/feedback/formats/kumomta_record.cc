#include "feedback/formats/kumomta_record.h"

#include <algorithm>
#include <cstring>

namespace watchpost::feedback {
namespace {

// In the order of the enum.
constexpr std::array<std::string_view, KumomtaRecord::kMembers> kNames{
    "type",
    "id",
    "sender",
    "recipient",
    "queue",
    "site",
    "size",
    "response",
    "peer_address",
    "timestamp",
    "event_time",
    "created",
    "created_time",
    "num_attempts",
    "bounce_classification",
    "egress_pool",
    "egress_source",
    "source_address",
    "feedback_report",
    "meta",
    "headers",
    "delivery_protocol",
    "reception_protocol",
    "nodeid",
    "tls_cipher",
    "tls_protocol_version",
    "tls_peer_subject_name",
    "provider_name",
    "session_id",
};
constexpr std::array<std::string_view, 4> kResponse{"code", "enhanced_code", "content", "command"};
constexpr std::array<std::string_view, 3> kStatus{"class", "subject", "detail"};
constexpr std::array<std::string_view, 2> kPeer{"name", "addr"};
constexpr std::array<std::string_view, 1> kOwn{"address"};

}  // namespace

std::string_view KumomtaRecord::name_of(Key key) { return kNames[key]; }

KumomtaRecord::KumomtaRecord(std::span<const std::string_view> metas,
                             std::span<const std::string_view> lower_headers)
    : tokens_(kMostBytes),
      members_(kNames),
      response_(kResponse),
      status_(kStatus),
      peer_(kPeer),
      own_(kOwn),
      metas_(metas),
      headers_(lower_headers),
      walked_{.metas = std::vector<JsonPlace>(metas.size()),
              .headers = std::vector<JsonPlace>(lower_headers.size())},
      known_(JsonShapes::kMost),
      found_(&walked_) {}

bool KumomtaRecord::read(std::string_view json) {
  if (!tokens_.find(json)) return false;
  used_ = 0;
  has_escapes_ = std::memchr(json.data(), '\\', json.size()) != nullptr;
  // Enough for all texts of the record, as no text is longer without its escapes.
  if (has_escapes_ && unescaped_.size() < json.size()) unescaped_.resize(json.size());
  end_ = json.data() + json.size();
  if (const size_t known = shapes_.find(tokens_); known != JsonShapes::kNone) {
    found_ = &known_[known];
    return true;
  }
  found_ = &walked_;
  if (!walk_over()) return false;
  if (const size_t learned = shapes_.learn(tokens_); learned != JsonShapes::kNone) {
    known_[learned] = walked_;
  }
  return true;
}

bool KumomtaRecord::walk_over() {
  walked_.members.fill({});
  std::ranges::fill(walked_.metas, JsonPlace{});
  std::ranges::fill(walked_.headers, JsonPlace{});
  members_.begin();
  JsonWalk walk(tokens_);
  JsonValue unknown;
  const bool good = walk.object([&](std::string_view key) {
    const uint8_t number = members_.find(key, end_);
    return number == JsonKeys::kNone ? walk.value(unknown)
                                     : read_member(walk, static_cast<Key>(number));
  });
  return good && walk.ended();
}

bool KumomtaRecord::read_member(JsonWalk& walk, Key key) {
  switch (key) {
    case response: return read_into(walk, response_, code, status_detail);
    case peer_address: return read_into(walk, peer_, peer_name, peer_addr);
    case source_address: return read_into(walk, own_, own_address, own_address);
    case meta: return read_named(walk, metas_, walked_.metas);
    case headers: return read_named(walk, headers_, walked_.headers);
    default: return take(walk, walked_.members[key]);
  }
}

bool KumomtaRecord::take(JsonWalk& walk, JsonPlace& place) {
  JsonValue value;
  if (!walk.value(value)) return false;
  place = tokens_.place_of(value);
  return true;
}

// The values of an object, from `first` on in the order of its keys; `last` is the last one that
// belongs to it, at whatever depth.
bool KumomtaRecord::read_into(JsonWalk& walk, JsonKeys& keys, Key first, Key last) {
  std::fill(walked_.members.begin() + first, walked_.members.begin() + last + 1, JsonPlace{});
  JsonValue unknown;
  if (walk.next() != '{') return walk.value(unknown);
  keys.begin();
  return walk.object([&](std::string_view name) {
    const uint8_t number = keys.find(name, end_);
    if (number == JsonKeys::kNone) return walk.value(unknown);
    const auto key = static_cast<Key>(first + number);
    if (key == enhanced_code) return read_into(walk, status_, status_class, status_detail);
    return take(walk, walked_.members[key]);
  });
}

bool KumomtaRecord::read_named(JsonWalk& walk, JsonKeys& keys, std::vector<JsonPlace>& places) {
  std::ranges::fill(places, JsonPlace{});
  JsonValue unknown;
  if (walk.next() != '{') return walk.value(unknown);
  keys.begin();
  return walk.object([&](std::string_view name) {
    const uint8_t number = keys.find(name, end_);
    return number == JsonKeys::kNone ? walk.value(unknown) : take(walk, places[number]);
  });
}

JsonValue KumomtaRecord::member(const JsonValue& object, std::string_view name) const {
  JsonValue found;
  if (!object.is_object()) return found;
  JsonWalk inside = walk(object);
  JsonValue value;
  inside.object([&](std::string_view key) {
    if (!inside.value(value)) return false;
    if (key == name) found = value;
    return true;
  });
  return found;
}

JsonValue KumomtaRecord::first_item(const JsonValue& array) const {
  JsonValue found;
  if (!array.is_array()) return found;
  JsonWalk inside = walk(array);
  inside.array([&] {
    inside.value(found);
    return false;
  });
  return found;
}

std::string_view KumomtaRecord::unescaped(std::string_view raw) {
  if (std::memchr(raw.data(), '\\', raw.size()) == nullptr) return raw;
  // One that is asked for again and again: what there was room for was enough for each text once.
  if (unescaped_.size() - used_ < raw.size()) return raw;
  char* const begin = unescaped_.data() + used_;
  const auto length = static_cast<size_t>(unescape_json(raw, begin) - begin);
  used_ += length;
  return {begin, length};
}

std::string_view KumomtaRecord::text_or_number(const JsonValue& value) {
  if (value.is_text()) return text(value);
  const bool number = (value.kind >= '0' && value.kind <= '9') || value.kind == '-';
  return number ? value.raw.substr(0, kLongestText) : std::string_view();
}

}  // namespace watchpost::feedback
