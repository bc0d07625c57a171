#pragma once
#include "base/result.h"
#include "dns/resolver.h"
#include "dns/zone.h"

#include <memory>
#include <string>
#include <string_view>

namespace watchpost::dns {

// Answers from a master file (RFC 1035 section 5) in place of DNS: for tests, and `--zone FILE`.
//   Use:     auto zone = ZoneFile::parse(R"(
//              $ORIGIN example.com.
//              $TTL 300
//              @      TXT   "v=spf1 mx " "-all"     ; strings are joined
//                     MX    10 mx
//              mx     A     192.0.2.1
//              *.lab  CNAME mx
//              slow   TIMEOUT                       ; no answer, for all types not listed
//              bad    SERVFAIL TXT                  ; for this type alone
//            )");
//            Names are below the root until $ORIGIN says otherwise. A, AAAA, MX, TXT, PTR, NS,
//            CNAME and SOA are read; other types make their name be there and are not looked at.
//            There are no zone cuts: each name has what the file gives it. A string of TXT may have
//            more than 255 bytes. An SOA gives the TTL of what is not there (RFC 2308 section 3).
//   Waits:   never: value_now() has the answer. The time of a budget is not looked at.
//   Threads: any; immutable.
//   Fails:   bad_input with file:line; unavailable where the file cannot be read; exhausted where
//            it has over 64 MiB or a million names.
class ZoneFile final : public Resolver {
 public:
  static Result<std::unique_ptr<ZoneFile>> parse(std::string_view text,
                                                 std::string_view file = "zone");
  static Result<std::unique_ptr<ZoneFile>> open(const std::string& path);

  Async<AnswerPtr> look_up(std::string name, RecordType type, Budget& budget) override;
  // The same without a budget.
  AnswerPtr find(std::string name, RecordType type) const;

 private:
  explicit ZoneFile(Zone zone) : zone_(std::move(zone)) {}
  AnswerPtr nothing(std::string_view name, bool name_is_there) const;

  Zone zone_;
};

}  // namespace watchpost::dns
