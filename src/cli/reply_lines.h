#pragma once
#include "base/result.h"
#include "base/time.h"
#include "feedback/classifier.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

// What `classify` and `unknown-replies` share: replies as lines of text.
namespace watchpost::cli {

// A reply, and who said it when.
struct ReplyLine {
  uint16_t code = 0;
  std::string status;
  std::string text;
  std::string stage;
  std::string host;
  std::string provider;
  std::optional<Time> at;

  // Views of itself.
  feedback::ReplyText reply() const { return {code, status, text, stage, host}; }
};

// A line is the text of a reply, or, where it begins with '{', a JSON object with the keys of an
// event: reply, reply_code, status, stage, peer_host, provider, at (docs/formats/event.md).
// Errors: bad_input for broken JSON.
Result<ReplyLine> reply_from(std::string_view line);

// Each line of a file, plain, gzip or zstd, "-" for standard input; cut at ingest::kLongestLine; no
// empty ones.
// Errors: bad_input where it cannot be read.
Result<Done> each_line(const std::string& path, const std::function<void(std::string_view)>& each);

}  // namespace watchpost::cli
