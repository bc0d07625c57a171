#include "border/outbound/hygiene.h"

#include "auth/dkim/signature.h"

#include <algorithm>
#include <array>

namespace watchpost::border {
namespace {

constexpr std::array<std::string_view, 6> kWords{"no_unsubscribe",       "no_one_click",
                                                 "unsubscribe_unsigned", "no_dkim",
                                                 "unaligned_dkim",       "no_feedback_id"};

bool covers(const auth::DkimVerdict& signature, std::string_view field) {
  return std::ranges::find(signature.fields, field) != signature.fields.end();
}

struct Signatures {
  bool any = false;
  bool aligned = false;
  bool cover_unsubscribe = false;
};

Signatures signatures_of(const mime::Message& message, const Traits& traits,
                         std::span<const std::string> author_domains,
                         const auth::PublicSuffixes* suffixes) {
  Signatures found;
  size_t looked_at = 0;
  for (const mime::Field* const field : message.header().all("DKIM-Signature")) {
    if (++looked_at > kMostSignatures) break;
    found.any = true;
    const auth::DkimVerdict verdict =
        auth::read_signature(*field, auth::SignatureKind::dkim, {}).verdict;
    if (verdict.domain.empty() ||
        std::ranges::none_of(author_domains, [&](const std::string& author) {
          return same_organisation(verdict.domain, author, suffixes);
        })) {
      continue;
    }
    found.aligned = true;
    // RFC 8058 section 4: both fields.
    found.cover_unsubscribe =
        found.cover_unsubscribe ||
        (covers(verdict, "list-unsubscribe") &&
         (!traits.list.one_click || covers(verdict, "list-unsubscribe-post")));
  }
  return found;
}

}  // namespace

std::span<const std::string_view> hygiene_words() { return kWords; }

std::vector<std::string_view> hygiene_of(const mime::Message& message, const Traits& traits,
                                         size_t recipients,
                                         std::span<const std::string> author_domains,
                                         const auth::PublicSuffixes* suffixes) {
  const ListFields& list = traits.list;
  if (!list.bulk() && recipients < kBulkRecipients) return {};
  const Signatures signatures = signatures_of(message, traits, author_domains, suffixes);
  std::vector<std::string_view> lacks;
  if (!list.unsubscribe) lacks.emplace_back("no_unsubscribe");
  if (list.unsubscribe && !list.one_click) lacks.emplace_back("no_one_click");
  if (list.unsubscribe && signatures.any && !signatures.cover_unsubscribe) {
    lacks.emplace_back("unsubscribe_unsigned");
  }
  if (!signatures.any) lacks.emplace_back("no_dkim");
  if (signatures.any && !signatures.aligned) lacks.emplace_back("unaligned_dkim");
  if (list.feedback_id.empty()) lacks.emplace_back("no_feedback_id");
  return lacks;
}

}  // namespace watchpost::border
