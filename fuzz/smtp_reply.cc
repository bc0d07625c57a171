// What a mail server answers: however it is cut into pieces, the same replies come out, bounded.
#include "net/smtp_reply.h"

#include "base/result.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using watchpost::net::SmtpReplies;

// All replies, and whether they ended in something else.
std::string read(std::string_view bytes, size_t piece) {
  SmtpReplies replies;
  std::string all;
  while (!bytes.empty() && !replies.broken()) {
    const size_t count = std::min(piece, bytes.size());
    replies.put(bytes.substr(0, count));
    bytes.remove_prefix(count);
    while (const auto reply = replies.take()) {
      WP_CHECK(reply->code >= 200 && reply->code < 600);
      WP_CHECK(reply->text.size() <= 2 * SmtpReplies::kMostBytes);
      WP_CHECK(reply->line().find('\n') == std::string::npos);
      all += reply->line() + "\n";
    }
  }
  return all + (replies.broken() ? "broken" : replies.at_rest() ? "" : "more");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string slowly = read(bytes, 1);
  for (const size_t piece : {size_t{2}, size_t{7}, size_t{100}, size_t{4096}})
    WP_CHECK(read(bytes, piece) == slowly);
  return 0;
}
