#pragma once
#include "mime/header.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::auth {

// Why a field that came with a message must not stay in it (RFC 8601 section 5).
enum class ForeignReason : uint8_t {
  ours,         // it claims to be written by us
  unreadable,   // its authserv-id cannot be read with certainty: others may read ours in it
  version,      // of a version that nobody here understands
  odd_name,     // the field's name has blanks or bytes that some readers pass over
  within_line,  // it stands behind a bare carriage return within another field
};
std::string_view name_of(ForeignReason reason);

// A field to be removed.
struct ForeignResults {
  size_t field = 0;    // index into Header::fields()
  size_t ordinal = 0;  // 1 for the first field of the name, as a milter counts them; 0: it has
                       // another name
  ForeignReason reason = ForeignReason::ours;
  bool operator==(const ForeignResults&) const = default;
};

// The Authentication-Results fields that claim one of our authserv-ids in whatever disguise: any
// case, comments, folds, quotes, U-labels, a last dot, a version. An id of ours that begins with a
// dot stands for all names below it. Last field first, so that removing one by its ordinal does not
// change those still to be removed (reliability C7). Total; any length of field.
std::vector<ForeignResults> foreign_results(const mime::Header& header,
                                            std::span<const std::string> our_ids);

}  // namespace watchpost::auth
