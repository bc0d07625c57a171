#pragma once
#include "border/traits.h"
#include "mime/message.h"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::border {

// A message to so many recipients is bulk, whatever its header says.
inline constexpr size_t kBulkRecipients = 20;
inline constexpr size_t kMostSignatures = 10;  // looked at

// What bulk mail lacks as it leaves (RFC 2369, RFC 8058, and what large providers ask of senders):
//   no_unsubscribe        no List-Unsubscribe with a URI
//   no_one_click          one without what RFC 8058 asks for
//   unsubscribe_unsigned  signatures are there, and none of the author's organisation covers it
//   no_dkim               no signature is there, as far as this filter has seen: another milter
//                         that signs has to stand before it
//   unaligned_dkim        none of them is by the author's organisation
//   no_feedback_id
// Other mail lacks nothing. Signatures are read, not verified: they are ours. Pure.
std::vector<std::string_view> hygiene_of(const mime::Message& message, const Traits& traits,
                                         size_t recipients,
                                         std::span<const std::string> author_domains,
                                         const auth::PublicSuffixes* suffixes);

// All words above, for metrics.
std::span<const std::string_view> hygiene_words();

}  // namespace watchpost::border
