#include "cli/chosen_resolver.h"

#include "dns/zone_file.h"

namespace watchpost::cli {

Result<std::unique_ptr<dns::Resolver>> chosen_resolver(const Session& /*session*/,
                                                       const std::string& zone_file) {
  if (zone_file.empty()) {
    return fail(Code::unavailable, "there is no resolver; name a zone file with --zone");
  }
  auto zone = dns::ZoneFile::open(zone_file);
  if (!zone) return fail(zone.error());
  return std::move(*zone);
}

}  // namespace watchpost::cli
