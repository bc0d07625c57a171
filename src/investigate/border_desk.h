#pragma once
#include "investigate/desk.h"
#include "relate/reputation.h"

#include <string>
#include <string_view>
#include <vector>

namespace watchpost::investigate {

// What the live desk does with verdicts and with the reputation of those who deliver to us.

Result<std::vector<FoundVerdict>> find_verdicts(store::Reader& reader, const VerdictSearch& search);

// The name as the reputation has it: addresses in their short form, names in small letters, of an
// address that is asked for as a network that network. Fails with bad_input.
Result<std::string> party_name(relate::Party party, std::string_view text);

// `reputation` may be null: then they fail with refused.
Result<relate::Reputed> reputation_of(const relate::Reputation* reputation, relate::Party party,
                                      std::string_view name, Time now);
Result<std::vector<relate::Reputed>> worst_of(const relate::Reputation* reputation, size_t most,
                                              Time now);
// Forgotten once the audit log has it.
Result<Done> forget_party(relate::Reputation* reputation, ingest::Pipeline& pipeline,
                          relate::Party party, std::string_view name, std::string_view who,
                          std::string_view why);

}  // namespace watchpost::investigate
