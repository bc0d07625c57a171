#include "border/milter_enforcer.h"

#include "enforce/decision_judge.h"

#include <array>

namespace watchpost::border {
namespace {

// What mail of a login has, or what mapping rules derive from that.
constexpr std::array kTellable{
    Field::credential, Field::customer,         Field::campaign,       Field::from_domain,
    Field::client_ip,  Field::client_network,   Field::client_country, Field::recipient,
    Field::provider,   Field::recipient_domain, Field::author_domain,  Field::subject_hash,
    Field::link_host,
};

}  // namespace

Result<Done> MilterEnforcer::able(const Decision& decision) {
  return enforce::tellable(decision.scope, kTellable, "a mail server");
}

}  // namespace watchpost::border
