#include "auth/results/author_first.h"

#include "auth/dmarc/walk.h"

#include <algorithm>

namespace watchpost::auth {
namespace {

std::string_view last_label(std::string_view domain) {
  const size_t dot = domain.rfind('.');
  return dot == std::string_view::npos ? domain : domain.substr(dot + 1);
}

std::string_view without_last_label(std::string_view domain) {
  const size_t dot = domain.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : domain.substr(0, dot);
}

size_t shared_labels(std::string_view one, std::string_view other) {
  size_t shared = 0;
  while (!one.empty() && !other.empty() && last_label(one) == last_label(other)) {
    one = without_last_label(one);
    other = without_last_label(other);
    ++shared;
  }
  return shared;
}

bool has_record(const dns::Answer& answer) {
  return std::ranges::any_of(
      answer.texts, [](const std::string& text) { return parse_dmarc_record(text).has_value(); });
}

}  // namespace

Async<Done> ask_policies(std::span<const std::string> author_domains, DmarcDiscovery discovery,
                         dns::Recorded& resolver, dns::Budget& budget) {
  for (const std::string& domain :
       author_domains.first(std::min(author_domains.size(), kMostAuthorDomains))) {
    bool own_record = false;
    for (const std::string& name : walk_targets(domain)) {
      const dns::AnswerPtr answer =
          co_await resolver.look_up("_dmarc." + name, dns::RecordType::txt, budget);
      if (name == domain) own_record = has_record(*answer);
      if (discovery != DmarcDiscovery::tree_walk) break;
    }
    // What is asked for it may depend on whether it is there (np=).
    if (!own_record) co_await resolver.look_up(domain, dns::RecordType::a, budget);
  }
  co_return Done{};
}

size_t nearness(std::string_view domain, std::span<const std::string> author_domains) {
  size_t most = 0;
  for (const std::string& author : author_domains) {
    most = std::max(most, shared_labels(domain, author));
  }
  return most;
}

std::vector<KeyName> key_names(std::span<const Signature> signatures,
                               std::span<const std::string> author_domains) {
  std::vector<KeyName> keys;
  for (const Signature& signature : signatures) {
    if (!signature.usable()) continue;
    const DkimVerdict& said = signature.verdict;
    keys.push_back({.name = said.selector + "._domainkey." + said.domain,
                    .nearness = nearness(said.domain, author_domains)});
  }
  std::ranges::stable_sort(keys, std::ranges::greater(), &KeyName::nearness);
  return keys;
}

Async<Done> ask_keys(std::span<const KeyName> keys, dns::Recorded& resolver, dns::Budget& budget) {
  for (const KeyName& key : keys) {
    co_await resolver.look_up(key.name, dns::RecordType::txt, budget);
  }
  co_return Done{};
}

}  // namespace watchpost::auth
