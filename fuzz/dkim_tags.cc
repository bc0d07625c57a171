// Tag lists and key records as anybody may publish or send them: what is read stands in the text
// where it says it does, each name once; a key that can be used has bounds; and a signature field
// of the same bytes has a verdict or a reason.
#include "auth/dkim/key_record.h"
#include "auth/dkim/signature.h"
#include "auth/dkim/tag_list.h"
#include "base/result.h"
#include "mime/message.h"

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

using namespace watchpost;
using namespace watchpost::auth;

namespace {

void check_list(std::string_view text) {
  const TagList list = TagList::read(text);
  if (!list.fault().empty()) return;
  std::set<std::string_view> names;
  size_t last = 0;
  WP_CHECK(!list.tags().empty() && list.tags().size() <= TagList::kMostTags);
  for (const Tag& tag : list.tags()) {
    WP_CHECK(names.insert(tag.name).second && list.find(tag.name) == &tag);
    WP_CHECK(last < tag.begin && tag.begin <= tag.end && tag.end <= text.size());
    WP_CHECK(text[tag.begin - 1] == '=' && (tag.end == text.size() || text[tag.end] == ';'));
    const std::string_view whole = text.substr(tag.begin, tag.end - tag.begin);
    WP_CHECK(whole.find(tag.value) != std::string_view::npos);
    WP_CHECK(without_blanks(whole) == without_blanks(tag.value));
    for (const std::string_view item : items_of(tag.value)) WP_CHECK(has_item(tag.value, item));
    last = tag.end;
  }
}

void check_record(std::string_view text) {
  const KeyRecord record = KeyRecord::read(text);
  WP_CHECK(record.key.has_value() == record.fault.empty());
  WP_CHECK(!record.key || (record.is_key && !record.revoked));
  if (!record.key) return;
  WP_CHECK(record.key->bits() > 0 && record.key->bits() <= 16'384);
  // Small ones alone: what a verifier takes is bounded.
  if (record.key->bits() <= 4096) WP_CHECK(!record.key->verifies({}, std::string(64, '\x01')));
}

void check_signature(std::string_view text, SignatureKind kind) {
  const std::string raw = "DKIM-Signature:" + std::string(text);
  const mime::Field field{raw, std::string_view(raw).substr(0, 14),
                          std::string_view(raw).substr(15)};
  const Signature read = read_signature(field, kind, {});
  const DkimVerdict& verdict = read.verdict;
  WP_CHECK(read.usable() == verdict.why.empty());
  WP_CHECK(read.b_value.begin <= read.b_value.end && read.b_value.end <= raw.size());
  for (const char c : verdict.domain + verdict.selector) WP_CHECK(c > ' ' && c < 0x7F && c != ';');
  if (!read.usable()) return;
  WP_CHECK(!verdict.domain.empty() && !verdict.selector.empty() && !read.signature.empty());
  WP_CHECK(kind == SignatureKind::arc_seal || read.body_hash.size() == 32);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_list(text);
  check_record(text);
  for (const auto kind :
       {SignatureKind::dkim, SignatureKind::arc_message, SignatureKind::arc_seal}) {
    check_signature(text, kind);
  }
  return 0;
}
