#include "auth/results/settings.h"

namespace watchpost::auth {

void fields(SettingsVisitor& visit, IdentitySettings& settings) {
  visit.setting(
      {.name = "authserv_id",
       .help = "our name in Authentication-Results (RFC 8601); fields of others that claim "
               "it are forged; empty: the name of this host"},
      &settings.authserv_id);
  visit.setting({.name = "trusted_sealers",
                 .help = "domains of ARC sealers, such as mailing lists, whose word may take the "
                         "place of a DMARC pass"},
                &settings.trusted_sealers);
}

}  // namespace watchpost::auth
