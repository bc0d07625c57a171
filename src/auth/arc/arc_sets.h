#pragma once
#include "auth/arc/arc.h"
#include "auth/dkim/signature.h"
#include "mime/message.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::auth {

// The three fields of one instance; null where one is not there.
struct ArcFields {
  const mime::Field* results = nullptr;
  std::optional<Signature> message;
  std::optional<Signature> seal;
  std::string authentication_results;
};

// The sets of a message, and what is wrong with their structure (RFC 8617 sections 4.2 and 5.2).
struct ArcSets {
  std::vector<ArcFields> sets;  // i=1 first
  std::string fault;            // one sentence; empty: each set is whole and none is missing
};

// Pure and total; no more than kMostArcSets are kept.
ArcSets read_arc_sets(const mime::Message& message, const DkimOptions& options);

// Instance of an ARC-Authentication-Results field; `rest` is then what stands behind its semicolon.
std::optional<uint32_t> results_instance(std::string_view body, std::string_view& rest);

}  // namespace watchpost::auth
