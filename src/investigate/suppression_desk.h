#pragma once
#include "investigate/desk.h"

#include <string>
#include <string_view>
#include <vector>

namespace watchpost::investigate {

// What the live desk does with suppressions.

Result<SuppressionPage> find_suppressions(store::Reader& reader, const SuppressionSearch& search,
                                          Time now);
Result<Suppression> add_suppression(ingest::Pipeline& pipeline, const Suppression& wanted,
                                    std::string_view who, Time now);
Result<std::vector<Suppression>> lift_suppressions(ingest::Pipeline& pipeline,
                                                   const SuppressionLift& wanted,
                                                   std::string_view who);
Result<ImportReceipt> import_list(ingest::Pipeline& pipeline, std::string_view csv,
                                  const ImportOptions& options, std::string_view who, Time now);

}  // namespace watchpost::investigate
