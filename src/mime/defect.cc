#include "mime/defect.h"

#include <array>
#include <bit>

namespace watchpost::mime {
namespace {

constexpr std::array<std::string_view, kDefects> kNames{
    "field_without_colon",
    "bad_field_name",
    "bad_folding",
    "nul_byte",
    "eight_bit",
    "bare_cr",
    "bare_lf",
    "long_line",
    "doubled_field",
    "header_too_large",
    "no_header",
    "no_blank_line",
    "bad_address",
    "bad_encoded_word",
    "bad_parameter",
    "doubled_parameter",
    "bad_content_type",
    "no_boundary",
    "bad_boundary",
    "missing_end_boundary",
    "boundary_never_found",
    "ambiguous_boundary",
    "text_after_end",
    "bad_encoding",
    "encoded_multipart",
    "too_deep",
    "too_many_parts",
    "bad_base64",
    "base64_after_padding",
    "bad_quoted_printable",
    "unknown_charset",
    "bad_charset_bytes",
    "decoded_too_large",
};
static_assert(!kNames.back().empty());

uint64_t bit_of(Defect defect) { return uint64_t{1} << static_cast<unsigned>(defect); }

}  // namespace

std::string_view name_of(Defect defect) { return kNames[static_cast<size_t>(defect)]; }

std::span<const std::string_view> defect_names() { return kNames; }

void Findings::add(Defect what, size_t at) {
  ++count_;
  const bool first = !has(what);
  seen_ |= bit_of(what);
  // A place stays free for the first of each defect that has not been seen.
  const size_t unseen = kDefects - static_cast<size_t>(std::popcount(seen_));
  if (first || kept_.size() + unseen < kMost) kept_.push_back({what, at});
}

bool Findings::has(Defect what) const { return (seen_ & bit_of(what)) != 0; }

}  // namespace watchpost::mime
