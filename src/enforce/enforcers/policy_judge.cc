#include "enforce/enforcers/policy_judge.h"

#include <array>

namespace watchpost::enforce {
namespace {

// What Postfix knows when it asks, or what mapping rules derive from that.
constexpr std::array kTellable{
    Field::credential, Field::customer,         Field::from_domain, Field::client_ip,
    Field::recipient,  Field::recipient_domain, Field::provider,
};

}  // namespace

Event& event_of(const PolicyRequest& request, const feedback::Mapping& mapping, EventBatch& batch) {
  Event& event = batch.add();
  event.kind = EventKind::accepted;
  const auto set = [&](Field field, PolicyAttribute attribute) {
    event[field] = batch.keep(request[attribute]);
  };
  set(Field::credential, PolicyAttribute::sasl_username);
  set(Field::method, PolicyAttribute::sasl_method);
  set(Field::client_ip, PolicyAttribute::client_address);
  set(Field::recipient, PolicyAttribute::recipient);
  set(Field::queue_id, PolicyAttribute::queue_id);
  set(Field::sender, PolicyAttribute::sender);
  if (event[Field::sender].empty()) event[Field::sender] = "<>";
  mapping.apply(event, batch);
  return event;
}

Result<Done> tellable(const Stream& scope) { return tellable(scope, kTellable, "Postfix"); }

}  // namespace watchpost::enforce
