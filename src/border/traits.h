#pragma once
#include "auth/dmarc/public_suffixes.h"
#include "mime/message.h"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::border {

// What the header of a mail to many says of itself.
struct ListFields {
  std::string list_id;             // List-Id (RFC 2919), what stands in its brackets
  std::string feedback_id;         // Feedback-ID
  std::string precedence;          // lower case
  bool unsubscribe = false;        // List-Unsubscribe (RFC 2369) with a URI
  bool unsubscribe_https = false;  // one of its URIs is https
  // RFC 8058: List-Unsubscribe-Post as it has to be, and an https URI.
  bool one_click = false;
  bool bulk() const;  // one of them says that it goes to many
};

// What the content of a message has, as far as rules and detectors ask for it. All texts come from
// outside: escape them on output.
struct Traits {
  std::string subject;       // of the first Subject field, as a person reads it; valid UTF-8
  std::string subject_hash;  // 16 hex digits: without its numbers, blanks and cases; empty: none
  std::vector<std::string> link_hosts;   // LinkHosts, of its text and HTML parts
  std::string foreign_link_host;         // the first that is not the authors' own
  std::vector<std::string> attachments;  // names, valid UTF-8, "" where one has none
  size_t attachment_count = 0;           // with those past kMostNames
  ListFields list;
};

inline constexpr size_t kMostText = 256 * 1024;  // bytes looked at for links, of all parts
inline constexpr size_t kMostNames = 50;
inline constexpr size_t kLongestSubject = 1'000;
inline constexpr size_t kLongestName = 255;
inline constexpr size_t kLongestListField = 255;

// Total; the work is bounded by the limits above and by the message's header and number of parts.
// What is attached is not looked into. `author_domains` as auth::Authors has them: their own hosts
// are those of the same organisational domain; without `suffixes` those above and below.
Traits traits_of(const mime::Message& message, std::span<const std::string> author_domains,
                 const auth::PublicSuffixes* suffixes = nullptr);

// One name is the other or below it, or both are of one organisational domain.
bool same_organisation(const std::string& one, const std::string& other,
                       const auth::PublicSuffixes* suffixes);

// The hash of what is left of a subject; empty where nothing is.
std::string subject_hash_of(std::string_view subject);

}  // namespace watchpost::border
