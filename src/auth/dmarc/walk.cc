#include "auth/dmarc/walk.h"

#include <algorithm>

namespace watchpost::auth {
namespace {

size_t labels_of(std::string_view domain) {
  return static_cast<size_t>(std::ranges::count(domain, '.')) + 1;
}

// The rightmost `labels` of a domain that has at least as many.
std::string_view last_labels(std::string_view domain, size_t labels) {
  size_t at = domain.size();
  for (size_t i = 0; i < labels; ++i) {
    const size_t dot = domain.substr(0, at).rfind('.');
    if (dot == std::string_view::npos) return domain;
    at = dot;
  }
  return domain.substr(at + 1);
}

}  // namespace

std::string_view name_of(DmarcDiscovery discovery) {
  return discovery == DmarcDiscovery::tree_walk ? "treewalk" : "psl";
}

std::string_view name_of(DmarcFinding finding) {
  switch (finding) {
    case DmarcFinding::record: return "record";
    case DmarcFinding::nothing: return "nothing";
    case DmarcFinding::several: return "several records";
    case DmarcFinding::failed: return "failed";
  }
  return "";
}

std::vector<std::string> walk_targets(std::string_view domain) {
  std::vector<std::string> targets{std::string(domain)};
  const size_t labels = labels_of(domain);
  for (size_t left = std::min(labels, kMostDmarcQueries) - 1; left > 0; --left) {
    targets.emplace_back(last_labels(domain, left));
  }
  return targets;
}

std::string organizational_domain(std::string_view start, const std::vector<DmarcStep>& steps) {
  std::string fewest(start);
  for (const DmarcStep& step : steps) {
    if (!step.record) continue;
    if (step.record->psd == PublicSuffixFlag::no) return step.domain;
    if (step.record->psd == PublicSuffixFlag::yes && step.domain != start) {
      return std::string(last_labels(start, labels_of(step.domain) + 1));
    }
    fewest = step.domain;
  }
  return fewest;
}

}  // namespace watchpost::auth
