#pragma once
#include "base/result.h"
#include "base/time.h"
#include "quarantine/held.h"
#include "store/store.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::investigate {

// A person found that mail should not have been held. A verdict never changes: this is kept beside
// it, in the store, and found by the held message that the verdict names.
struct Correction {
  Time at;
  std::string by;
  std::string why;  // may be empty
};

store::Fact fact_of(const quarantine::HeldId& held, const Correction& correction);
// Those of before `then`, as facts that delete them.
Result<std::vector<store::Fact>> outlived_corrections(store::Reader& reader, Time then);
// Nothing: nobody said so.
Result<std::optional<Correction>> correction_of(store::Reader& reader,
                                                const quarantine::HeldId& held);
// Of the message that a verdict held.
Result<std::optional<Correction>> correction_of_verdict(store::Reader& reader,
                                                        std::string_view verdict_json);

}  // namespace watchpost::investigate
