// A DNS message as anybody may send it, read as the reply to each kind of question about the name
// it has: an answer of one of the four outcomes, bounded, with names in a form that can be shown.
// Queries are what they say.
#include "base/result.h"
#include "dns/name.h"
#include "dns/packet.h"
#include "dns/wire.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace watchpost;
using namespace watchpost::dns;

namespace {

constexpr RecordType kTypes[] = {RecordType::a,   RecordType::ns, RecordType::cname,
                                 RecordType::ptr, RecordType::mx, RecordType::txt,
                                 RecordType::aaaa};

void check_name(const std::string& name) {
  WP_CHECK(name.size() <= 4 * kLongestName);
  WP_CHECK(std::ranges::all_of(name, [](char c) { return c > ' ' && c <= '~'; }));
  WP_CHECK(std::ranges::none_of(name, [](char c) { return c >= 'A' && c <= 'Z'; }));
  std::string key = name;
  if (can_be_asked(name)) WP_CHECK(name.empty() || (make_key(key) && key == name));
}

void check(const Reply& reply, RecordType type) {
  const Answer& answer = reply.answer;
  const size_t records =
      answer.texts.size() + answer.addresses.size() + answer.exchanges.size() + answer.names.size();
  WP_CHECK(bytes_of(answer) <= 2 * kLargestAnswer);
  WP_CHECK(reply.aliases <= kMostAliases);
  if (!reply.alias.empty()) {
    std::string key = reply.alias;
    WP_CHECK(reply.aliases > 0 && make_key(key) && key == reply.alias && records == 0);
    return;
  }
  WP_CHECK((answer.outcome == Outcome::found) == (records > 0));
  WP_CHECK((answer.outcome == Outcome::failed) == !answer.why.empty());
  WP_CHECK(type == RecordType::txt || answer.texts.empty());
  WP_CHECK(type == RecordType::mx || answer.exchanges.empty());
  for (const IpAddress& one : answer.addresses) WP_CHECK(one.v6 == (type == RecordType::aaaa));
  WP_CHECK(std::ranges::is_sorted(answer.exchanges, {}, &MailExchange::preference));
  for (const MailExchange& one : answer.exchanges) check_name(one.host);
  for (const std::string& one : answer.names) check_name(one);
}

// The name in the question section, where it can be asked for.
std::optional<std::string> asked(const std::vector<uint8_t>& packet) {
  if (packet.size() < 12) return std::nullopt;
  const auto name = WireReader(packet, 12).name();
  if (!name) return std::nullopt;
  std::string text = name->text();
  if (!can_be_asked(text) || !make_key(text)) return std::nullopt;
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<uint8_t> packet(data, data + size);
  const auto name = asked(packet);
  if (!name) {
    WP_CHECK(read_reply(packet, 0, {"example.com", RecordType::txt}).answer.outcome ==
             Outcome::failed);
    return 0;
  }
  const auto id = static_cast<uint16_t>(packet[0] << 8 | packet[1]);
  const size_t type_at = 12 + WireName::of(*name).bytes().size();
  for (const RecordType type : kTypes) {
    const Question question{*name, type};
    const std::string query = write_query(id, question, size % 2 == 0);
    const std::vector<uint8_t> own(query.begin(), query.end());
    WP_CHECK(asked(own) == *name);
    // A query is no reply.
    WP_CHECK(read_reply(own, id, question).answer.outcome == Outcome::failed);
    if (type_at + 4 <= packet.size()) {
      packet[type_at] = 0;
      packet[type_at + 1] = static_cast<uint8_t>(type);
    }
    check(read_reply(packet, id, question), type);
  }
  return 0;
}
