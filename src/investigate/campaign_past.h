#pragma once
#include "base/result.h"
#include "base/time.h"
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

// What one customer's earlier campaigns came to.
struct CampaignPast {
  struct Rate {
    MailRate rate = MailRate::delivered;
    size_t campaigns = 0;  // that have this rate
    double median = 0;
    double low = 0;
    double high = 0;
  };
  std::optional<Time> since;  // of mail sent from then until the campaign began; nothing: not asked
  bool complete = true;       // false: there was no time to read further back than `since`
  size_t campaigns = 0;       // that began earlier and are large enough
  size_t small = 0;           // that are not
  uint64_t sampled = 1;       // more: rates are of one message in so many
  std::vector<Rate> rates;    // of those of which there are enough campaigns
};

struct PastQuery {
  std::string_view customer;
  std::string_view campaign;  // the one that is compared
  Time began;                 // when that one did
  Duration span;
};
// Errors: those of the store.
Result<CampaignPast> read_past(store::Reader& reader, const PastQuery& query,
                               const SearchBounds& bounds);

}  // namespace watchpost::investigate
