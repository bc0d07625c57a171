#pragma once
#include "feedback/formats/json_keys.h"
#include "feedback/formats/json_shape.h"
#include "feedback/formats/json_tokens.h"
#include "feedback/formats/json_walk.h"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::feedback {

// The parts of a KumoMTA log record, not yet read: found in one walk over it, or by the shape that
// it has in common with one before.
//   Source:  docs/formats/kumomta-log.md
//   Use:     one for each reader: read() again for each record.
//   Owns:    the texts that had escapes. All others point into the record.
//   Threads: none inside.
class KumomtaRecord {
 public:
  static constexpr size_t kMostBytes = 16 * 1024 * 1024;
  static constexpr size_t kLongestText = 4096;  // of a text that is taken; the rest is left out

  // The members of a record, in the order in which kumod writes them.
  enum Key : uint8_t {
    type,
    id,
    sender,
    recipient,
    queue,
    site,
    size,
    response,
    peer_address,
    timestamp,
    event_time,
    created,
    created_time,
    num_attempts,
    bounce_classification,
    egress_pool,
    egress_source,
    source_address,
    feedback_report,
    meta,
    headers,
    delivery_protocol,
    reception_protocol,
    nodeid,
    tls_cipher,
    tls_protocol_version,
    tls_peer_subject_name,
    provider_name,
    session_id,
    // Those of its members.
    code,
    enhanced_code,
    content,
    command,
    status_class,
    status_subject,
    status_detail,
    peer_name,
    peer_addr,
    own_address,
  };
  static constexpr size_t kMembers = 29;
  static constexpr size_t kKeys = kMembers + 10;
  static std::string_view name_of(Key key);  // of one of the first kMembers

  // `metas` and `lower_headers` are the names of meta() and header(); at most 100 of each.
  KumomtaRecord(std::span<const std::string_view> metas,
                std::span<const std::string_view> lower_headers);
  KumomtaRecord(KumomtaRecord&&) = delete;
  // False where it is not one JSON object: nothing may be asked of it then. Of a key that stands
  // there twice the last one counts.
  bool read(std::string_view json);

  JsonValue operator[](Key key) const { return tokens_.at(found_->members[key]); }
  JsonValue meta_value(size_t number) const { return tokens_.at(found_->metas[number]); }
  JsonValue header_value(size_t number) const { return tokens_.at(found_->headers[number]); }

  // The rare ones, looked for in a container: nothing where it is none, or has no such member.
  JsonValue member(const JsonValue& object, std::string_view name) const;
  JsonValue first_item(const JsonValue& array) const;
  JsonWalk walk(const JsonValue& container) const { return {tokens_, container}; }

  // Without its escapes; empty where it is not a text.
  std::string_view text(const JsonValue& value) {
    if (!value.is_text()) return {};
    const std::string_view raw = value.raw.substr(0, kLongestText);
    return has_escapes_ ? unescaped(raw) : raw;
  }
  std::string_view text(Key key) { return text((*this)[key]); }
  // The same, and the digits of a number.
  std::string_view text_or_number(const JsonValue& value);

 private:
  // Where the values stand that were looked for.
  struct Places {
    std::array<JsonPlace, kKeys> members{};
    std::vector<JsonPlace> metas;
    std::vector<JsonPlace> headers;
  };
  bool walk_over();
  bool read_member(JsonWalk& walk, Key key);
  bool read_into(JsonWalk& walk, JsonKeys& keys, Key first, Key last);
  bool read_named(JsonWalk& walk, JsonKeys& keys, std::vector<JsonPlace>& places);
  bool take(JsonWalk& walk, JsonPlace& place);
  std::string_view unescaped(std::string_view raw);

  JsonTokens tokens_;
  JsonKeys members_;
  JsonKeys response_;
  JsonKeys status_;
  JsonKeys peer_;
  JsonKeys own_;
  JsonKeys metas_;
  JsonKeys headers_;
  Places walked_;
  JsonShapes shapes_;
  std::vector<Places> known_;  // by the numbers of shapes: all records of one have the same
  const Places* found_ = nullptr;
  const char* end_ = nullptr;
  bool has_escapes_ = false;
  std::vector<char> unescaped_;
  size_t used_ = 0;
};

}  // namespace watchpost::feedback
