// The line that begins a message of an mbox, and the envelope that delivery wrote into a header.
#include "ingest/postmark.h"

#include "base/result.h"
#include "ingest/mail_source.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace watchpost;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto at = ingest::postmark_time(bytes)) {
    WP_CHECK(*at >= Time{} && *at < Time{std::chrono::hours(24 * 366) * 8030});
  }
  const auto envelope = ingest::stored_envelope(bytes);
  WP_CHECK(envelope.recipients.size() <= 20);
  for (const auto& recipient : envelope.recipients) WP_CHECK(!recipient.empty());
  return 0;
}
