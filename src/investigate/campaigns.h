#pragma once
#include "base/result.h"
#include "base/time.h"
#include "investigate/campaign_past.h"
#include "investigate/campaign_tally.h"
#include "investigate/stored_search.h"
#include "store/store.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace watchpost::investigate {

// Which mailing, and over which mail of it.
struct CampaignQuery {
  std::string customer;
  std::string campaign;
  std::optional<Time> since;              // mail sent from then on
  std::optional<Time> until;              // mail sent before
  Duration past = std::chrono::days(30);  // with earlier campaigns of so long before it
};

// How a mailing went.
struct CampaignReport {
  std::string customer;
  std::string campaign;
  Time since;                 // of all mail sent from then on, taken down to the hour
  std::optional<Time> until;  // and before
  bool complete = true;       // false: there was no time to read further back than `since`
  uint64_t events = 0;        // that it is made of
  std::optional<Time> first_sent;
  std::optional<Time> last_sent;
  bool sending = false;  // something was sent within the last hour
  TallyResult mail;      // groups: providers
  std::vector<UnprovenCount> unproven;
  CampaignPast past;
};

// Reads by the store's search index: the time it takes goes with the events of this campaign and
// customer, not with what else is stored.
//   Memory:  bounded, see CampaignTally.
//   Errors:  bad_input: no name. not_found: no event of this campaign; says what there is.
//            Those of the store.
Result<CampaignReport> report_campaign(store::Reader& reader, const CampaignQuery& query, Time now,
                                       const SearchBounds& bounds);

// A mailing in the list of all. Events are counted, each as it came.
struct CampaignRow {
  std::string customer;
  std::string campaign;
  Time first_at;  // of its events
  Time last_at;
  uint64_t accepted = 0;  // recipients
  uint64_t delivered = 0;
  uint64_t deferred = 0;
  uint64_t bounced = 0;
  uint64_t expired = 0;
  uint64_t complained = 0;
  uint64_t unsubscribed = 0;

  uint64_t weight() const { return accepted + delivered + bounced + expired; }
  void add(const CampaignRow& other);
};

struct CampaignListQuery {
  Time since;
  std::optional<Time> until;
  std::string customer;  // empty: of all
};
struct CampaignList {
  Time since;
  bool complete = true;                // false: there was no time to read further back than `since`
  uint64_t events = 0;                 // read
  uint64_t without = 0;                // of these about mail that belongs to no campaign
  std::vector<CampaignRow> campaigns;  // the last active one first
  std::optional<CampaignRow> the_rest;  // where there are too many: the smallest, together
};
inline constexpr size_t kMostCampaigns = 10'000;

// Reads every event of the time, or of the customer.
Result<CampaignList> list_campaigns(store::Reader& reader, const CampaignListQuery& query,
                                    const SearchBounds& bounds);

}  // namespace watchpost::investigate
