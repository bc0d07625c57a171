// Replies, one a line: grouped within bounds, none lost, and a rule made of any group is one that a
// rule file takes and that judges what it was made of.
#include "feedback/reply_clusters.h"

#include "feedback/classifier.h"
#include "mime/charset.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

using namespace watchpost;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kMost = 8;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  feedback::ReplyClusters clusters(kMost);
  uint64_t added = 0;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    clusters.add({line, line.substr(0, 1), std::nullopt});
    ++added;
  }
  if (clusters.replies() != added) std::abort();
  const auto sorted = clusters.sorted();
  if (sorted.size() > kMost) std::abort();
  uint64_t held = clusters.forgotten();
  for (const feedback::ReplyCluster& cluster : sorted) {
    held += cluster.count;
    if (cluster.wording.size() > 2 * feedback::ReplyClusters::kLongestWording) std::abort();
    if (!mime::is_utf8(cluster.wording) || !mime::is_utf8(cluster.example)) std::abort();
    if (cluster.providers.size() > feedback::ReplyClusters::kMostProviders) std::abort();
    const auto rule = feedback::rule_for(cluster, "system/new", "system", "");
    if (!rule) continue;
    const auto made = feedback::Classifier::from_toml(*rule, "new");
    if (!made) std::abort();
    // Bytes that are no UTF-8 come back as others.
    if (cluster.example.find("\xEF\xBF\xBD") != std::string::npos) continue;
    if (made->classify({.text = cluster.example}).rule != "system/new") std::abort();
  }
  if (held != added) std::abort();
  return 0;
}
