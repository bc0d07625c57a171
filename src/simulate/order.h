#pragma once
#include "base/result.h"
#include "base/time.h"
#include "model/verdict.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace watchpost::simulate {

enum class IncidentKind : uint8_t {
  stolen_login,
  trickle,
  bad_list,
  receiver_outage,
  ip_block,
  complaint_burst,
  content_block,
  list_bombing,
  launch,
  greylisting_everywhere,
  new_customer_first_blast,
};

struct IncidentInfo {
  IncidentKind kind;
  std::string_view name;
  bool harmful;     // somebody of ours does what must be stopped
  Verdict verdict;  // whose fault it is
  Verdict or_else;  // what is right as well; none: nothing else
  std::string_view help;
};
// In the order of the enum.
std::span<const IncidentInfo> incident_kinds();
const IncidentInfo& info_of(IncidentKind kind);

// What shall happen. What is not said is chosen by the seed, or usual for the kind.
struct Order {
  IncidentKind kind = IncidentKind::stolen_login;
  Duration at{0};        // since the start of the simulated time
  std::string customer;  // its number or its domain
  std::string provider;  // of receiver_outage and ip_block
  std::string as;        // of receiver_outage: "deferred" or "unknown"
  std::optional<double> per_second;
  std::optional<double> unknown;     // share of recipients
  std::optional<double> complaints;  // share of what is delivered where complaints are told
  std::optional<uint32_t> networks;
  std::optional<uint32_t> recipients;
  std::optional<Duration> lasts;
  bool sorted = false;
};

// "stolen_login@10:00,customer=7,rate=60/s": the kind; the time of the first day, or "2d10:00" of
// the third; settings. docs/guide/simulate.md lists them. Errors: bad_input, naming the part.
Result<Order> parse_order(std::string_view text);

}  // namespace watchpost::simulate
