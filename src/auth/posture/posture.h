#pragma once
#include "base/async.h"
#include "dns/resolver.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::auth {

// How well something is done. Worse ones later.
enum class PostureState : uint8_t {
  good,
  weak,     // it works, and could protect more
  missing,  // there is no such record
  broken,   // there is one, and nobody can use it
  unknown,  // DNS gave no answer
};
std::string_view name_of(PostureState state);

// What the domain publishes of one kind; of SPF one for each thing that is wrong with it.
struct PostureItem {
  std::string subject;  // "SPF", "DKIM s1", "DMARC", "MTA-STS", "TLS-RPT"
  PostureState state = PostureState::unknown;
  std::string record;   // as published; empty where there is none
  std::string finding;  // one sentence
  std::string advice;   // one sentence; empty where nothing is to be done
};

// What a domain publishes against being forged, and for its mail to come in encrypted.
struct Posture {
  std::string domain;
  std::vector<PostureItem> items;
  uint32_t spf_look_ups = 0;  // of a message for which no term matches early
  double spf_addresses = 0;   // IPv4 addresses that pass

  PostureState worst() const;
};

// More IPv4 addresses than this and an SPF pass says little: shared platforms (BreakSPF, NDSS
// 2024).
inline constexpr double kBroadSpf = 100'000;

// Looks at TXT records only (and, for SPF, at what they name). `selectors` are those of DKIM keys,
// which DNS does not list. `domain` is as mail_domain() has it. `resolver` and `budget` outlive the
// wait. Never fails.
Async<Posture> check_posture(std::string domain, std::vector<std::string> selectors,
                             dns::Resolver& resolver, dns::Budget& budget);

}  // namespace watchpost::auth
