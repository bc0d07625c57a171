#include "relate/reputation.h"

namespace watchpost::relate {

void fields(SettingsVisitor& visit, ReputationSettings& settings) {
  visit.setting({.name = "half_life",
                 .help = "what was seen counts half after so long",
                 .least = 3600,
                 .most = 86'400.0 * 365},
                &settings.half_life);
  visit.setting({.name = "parties",
                 .help = "addresses, networks, domains and signers remembered at most; those who "
                         "weigh least give way. One takes 150 to 400 bytes",
                 .least = 1000,
                 .most = 100'000'000},
                &settings.parties);
}

}  // namespace watchpost::relate
