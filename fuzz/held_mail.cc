// What a file of held mail holds, and what a key file does, from anywhere. A file is sealed: only
// who has the key can choose these bytes, or a defect of ours; still what is accepted must be the
// same when it is written again, and no search may trip over it.
#include "crypto/sealed.h"
#include "quarantine/held_code.h"
#include "quarantine/key_file.h"
#include "quarantine/terms.h"

#include <cstddef>
#include <cstdint>
#include <string>

using namespace watchpost;
using namespace watchpost::quarantine;

namespace {

void search(const HeldMessage& message) {
  (void)terms_of(message, 7);
  HeldSearch search;
  search.sender = message.sender;
  WP_CHECK(matches(search, message));
  search.subject = message.subject;
  search.reason = message.reason;
  search.rule = message.rule;
  search.since = message.at;
  search.least_size = search.most_size = message.size;
  WP_CHECK(matches(search, message));
  for (const Copy& copy : message.copies) {
    HeldSearch of_copy;
    of_copy.recipient = copy.recipient;
    WP_CHECK(matches(of_copy, copy) || copy.recipient.starts_with('@'));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto whole = decode_whole(bytes)) {
    const std::string again = encode_whole(whole->message, whole->content);
    const auto once_more = decode_whole(again);
    WP_CHECK(once_more.has_value());
    WP_CHECK(encode_whole(once_more->message, once_more->content) == again);
    WP_CHECK(once_more->content.message == whole->content.message);
    if (!whole->message.sender.starts_with('@')) search(whole->message);
  }
  if (const auto message = decode_message(bytes)) {
    WP_CHECK(encode_message(*message) == bytes);
  }
  const auto keys = parse_keys(bytes);
  if (keys) {
    WP_CHECK(keys->size() > 0 && keys->find(keys->newest().id) == &keys->newest());
  } else {
    WP_CHECK(keys.error().code == Code::bad_input);
  }
  WP_CHECK(!crypto::unseal({}, "", bytes));
  return 0;
}
