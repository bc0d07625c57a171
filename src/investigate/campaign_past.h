#pragma once
#include "base/result.h"
#include "base/time.h"
#include "base/wilson.h"
#include "investigate/mail_figures.h"
#include "investigate/stored_search.h"
#include "store/store.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace watchpost::investigate {

// Fewer earlier campaigns than this say nothing of what is usual, nor does one of less mail.
inline constexpr size_t kFewestCampaigns = 3;
inline constexpr uint64_t kFewestMessages = 100;
// After that nearly all that is to come of a campaign has come: earlier ones are taken whole.
inline constexpr Duration kSettled = std::chrono::days(7);

// A rate beside those of before.
enum class Beside : uint8_t {
  as_before,  // within their range
  higher,     // than any, by more than chance would explain (95 %)
  lower,
  unclear,  // outside of their range, but all of it of too few messages to tell
};
std::string_view name_of(Beside beside);

// What one customer's earlier campaigns came to.
struct CampaignPast {
  struct Rate {
    MailRate rate = MailRate::delivered;
    size_t campaigns = 0;  // that have this rate
    double median = 0;
    double low = 0;
    double high = 0;
    Interval may_be;               // what any of them may be, each by its number of messages
    std::optional<Beside> beside;  // of the one that is compared; nothing where it has no such rate
  };
  // They are taken as they were when so much time was over since they began, to the hour; nothing:
  // whole.
  std::optional<Duration> age;
  std::optional<Time> since;  // of mail sent from then until the campaign began; nothing: not asked
  bool complete = true;       // false: there was no time to read further back than `since`
  size_t campaigns = 0;       // that began earlier and are large enough
  size_t small = 0;           // that are not
  uint64_t sampled = 1;       // more: rates are of one message in so many
  std::vector<Rate> rates;    // of those of which there are enough campaigns
};

Beside beside(const MailShare& share, const CampaignPast::Rate& past);

struct PastQuery {
  std::string_view customer;
  std::string_view campaign;  // the one that is compared
  Time began;                 // when that one did
  Time now;                   // what came of it until then
  Duration span;
};
// A campaign that is not settled yet is compared with what the earlier ones had come to when they
// were as old: of them everything is read twice then.
//   Errors: those of the store.
Result<CampaignPast> read_past(store::Reader& reader, const PastQuery& query,
                               const SearchBounds& bounds);

}  // namespace watchpost::investigate
