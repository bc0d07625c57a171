#include "simulate/gates.h"

#include <algorithm>
#include <string>

namespace watchpost::simulate {
namespace {

std::string network_of(Address address) {
  std::string text;
  append_address(text, address & 0xFFFFFF00U);
  return text + "/24";
}

std::string text_of(Address address) {
  std::string text;
  append_address(text, address);
  return text;
}

std::string provider_of(const Mailbox& to) {
  const Receiver& receiver = receivers()[to.receiver];
  if (!receiver.domains.empty() && to.state != MailboxState::no_domain) {
    return std::string(receiver.name);
  }
  std::string text;
  append_domain(text, to);
  return text;
}

std::string domain_of(const Mailbox& to) {
  std::string text;
  append_domain(text, to);
  return text;
}

std::string recipient_of(const Mailbox& to) {
  std::string text;
  append_local(text, to);
  return text + '@' + domain_of(to);
}

bool has(const Attempt& attempt, const Stream::Part& part) {
  // What a measure of ours may be about; all else is not known when a message is handed in.
  if (part.dimension == Field::customer) return attempt.customer.domain == part.value;
  if (part.dimension == Field::from_domain) return attempt.customer.domain == part.value;
  if (part.dimension == Field::credential) return attempt.login.name == part.value;
  if (part.dimension == Field::campaign) return attempt.campaign == part.value;
  if (part.dimension == Field::client_ip) return text_of(attempt.client) == part.value;
  if (part.dimension == Field::client_network) return network_of(attempt.client) == part.value;
  if (part.dimension == Field::source_ip) return text_of(attempt.source) == part.value;
  if (part.dimension == Field::provider) return provider_of(attempt.to) == part.value;
  if (part.dimension == Field::recipient_domain) return domain_of(attempt.to) == part.value;
  if (part.dimension == Field::recipient) return recipient_of(attempt.to) == part.value;
  return false;
}

}  // namespace

void Gates::add(const Stream& scope, uint32_t allowed, Duration per, Time until) {
  if (scope.empty()) return;
  gates_.push_back({scope, allowed, per, until, Time(), 0, 0, 0});
}

void Gates::add_share(const Stream& scope, double share, Time until) {
  if (scope.empty()) return;
  gates_.push_back({scope, 0, Duration(0), until, Time(), 0, share, 0});
}

bool Gates::holds(const Gate& gate, const Attempt& attempt) {
  return std::ranges::all_of(gate.scope.parts,
                             [&](const Stream::Part& part) { return has(attempt, part); });
}

bool Gates::refuses(const Attempt& attempt, Time now) {
  std::erase_if(gates_, [&](const Gate& gate) { return gate.until <= now; });
  bool refused = false;
  for (Gate& gate : gates_) {
    if (!holds(gate, attempt)) continue;
    if (gate.share > 0) {
      gate.credit += gate.share;
      if (gate.credit < 1) {
        refused = true;
      } else {
        gate.credit -= 1;
      }
      continue;
    }
    if (now - gate.since >= gate.per) {
      gate.since = now;
      gate.used = 0;
    }
    if (gate.used >= gate.allowed) refused = true;
  }
  if (refused) return true;
  for (Gate& gate : gates_) {
    if (gate.allowed > 0 && holds(gate, attempt)) ++gate.used;
  }
  return false;
}

}  // namespace watchpost::simulate
