#pragma once
#include "base/settings.h"

#include <string>
#include <vector>

namespace watchpost::auth {

// [identity]
struct IdentitySettings {
  std::string authserv_id;  // our name in Authentication-Results; empty: the host's name
  std::vector<std::string> trusted_sealers;  // domains of ARC sealers
};
void fields(SettingsVisitor& visit, IdentitySettings& settings);

}  // namespace watchpost::auth
