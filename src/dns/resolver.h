#pragma once
#include "base/async.h"
#include "base/ip_address.h"
#include "base/time.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::dns {

enum class RecordType : uint16_t {
  a = 1,
  ns = 2,
  cname = 5,
  ptr = 12,
  mx = 15,
  txt = 16,
  aaaa = 28,
};
std::string_view name_of(RecordType type);                   // "AAAA"
std::optional<RecordType> type_from(std::string_view name);  // in either case

// The four that must never be taken for each other (RFC 7208 section 5, RFC 9989 section 4).
enum class Outcome : uint8_t {
  found,         // at least one record of the type
  no_data,       // the name is there, without such a record
  no_such_name,  // NXDOMAIN
  failed,        // nobody knows: time-out, SERVFAIL, a lie, a budget used up
};
std::string_view name_of(Outcome outcome);

struct MailExchange {
  uint16_t preference = 0;
  std::string host;  // "" is the null MX (RFC 7505)
};

// What DNS says of one name and type. Immutable; shared with the cache.
struct Answer {
  Outcome outcome = Outcome::failed;
  bool authentic = false;  // AD: the resolver we trust has validated it
  uint32_t ttl = 0;        // seconds, within the bounds of the cache
  std::string why;         // of `failed`: one sentence
  // By type. Names in lower case without the last dot.
  std::vector<std::string> texts;       // TXT: the strings of each record, joined without a blank
  std::vector<IpAddress> addresses;     // A, AAAA
  std::vector<MailExchange> exchanges;  // MX, most preferred first
  std::vector<std::string> names;       // PTR, NS, CNAME
};
using AnswerPtr = std::shared_ptr<const Answer>;

// What one message may cost in DNS. Every look-up is charged here, inside the resolver, so that no
// path can skip it; past it every answer is `failed`.
struct Budget {
  uint32_t queries = 100;  // left; answers from the cache count as well
  Time until = Time::max();
  uint32_t made = 0;  // so far
};

// Asks DNS.
//   Threads: as the implementation says; a look-up goes on where its answer came in.
class Resolver {
 public:
  virtual ~Resolver() = default;
  // `name` without regard to case and a last dot. A name that is none (a label of over 63 bytes,
  // 255 in all, an empty label) is `no_such_name` without a query. CNAMEs are followed, eight at
  // most. Never null. `budget` outlives the wait.
  virtual Async<AnswerPtr> look_up(std::string name, RecordType type, Budget& budget) = 0;
};

}  // namespace watchpost::dns
