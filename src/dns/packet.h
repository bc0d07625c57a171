#pragma once
#include "dns/resolver.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace watchpost::dns {

// DNS messages (RFC 1035 section 4) as bytes. All functions are pure and total: any bytes may come
// in, and what comes out is bounded by constants here and by the size of the message.

struct Question {
  std::string name;  // as make_key() has it
  RecordType type = RecordType::a;
  bool operator==(const Question&) const = default;
};

// What a name server may send in one datagram: what fits the smallest path of IPv6, without its
// headers (https://www.dnsflagday.net/2020/).
inline constexpr uint16_t kLargestDatagram = 1232;
// The most that an answer may take in memory. A larger one is `failed`: to cut it would make an
// answer that nobody gave.
inline constexpr size_t kLargestAnswer = size_t{256} << 10;
inline constexpr uint32_t kMostAliases = 8;

// A query for a recursive name server: RD, and AD as the wish to hear of validation (RFC 6840
// section 5.7). With `edns` an OPT of 11 bytes stands at its end (RFC 6891).
std::string write_query(uint16_t id, const Question& question, bool edns);

// What a reply says.
struct Reply {
  // `failed` where the reply says nothing that can be used; `why` then says what is wrong. Its TTL
  // is as the reply has it: the least of all records that led to it; of what is not there that of
  // the SOA (RFC 2308 section 5), 0 where there is none.
  Answer answer;
  // Not empty: CNAMEs lead to this name (as make_key() has it), of which the reply says no more;
  // `answer` has the TTL of the way there and is otherwise of no use.
  std::string alias;
  uint32_t aliases = 0;       // CNAMEs followed within the reply
  bool is_final = false;      // of `failed`: well formed, so that asking again is of no use
  bool refuses_edns = false;  // FORMERR without an OPT (RFC 6891 section 7)
};

// Reads the reply to a question: its id, its question in any case of letters, one class and one
// opcode must match. What the reply tells beside the question is not looked at.
Reply read_reply(std::span<const uint8_t> packet, uint16_t id, const Question& question);

// The memory an answer takes, about.
size_t bytes_of(const Answer& answer);

}  // namespace watchpost::dns
