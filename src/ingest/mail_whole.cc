#include "ingest/mail_whole.h"

#include "base/text.h"
#include "mime/content.h"
#include "mime/header.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

namespace watchpost::ingest {
namespace {

std::optional<uint64_t> length_named(const mime::Header& header) {
  const auto text = header.text("Content-Length");
  if (!text) return std::nullopt;
  uint64_t length = 0;
  const char* const end = text->data() + text->size();
  const auto [rest, fault] = std::from_chars(text->data(), end, length);
  if (fault != std::errc() || rest != end) return std::nullopt;
  return length;
}

// "--boundary--" on the last line that is not blank, and on no part of one.
bool ends_with_closing(std::string_view body, const std::string& boundary) {
  const std::string closing = "--" + boundary + "--";
  body = body.substr(0, body.find_last_not_of(" \t\r\n") + 1);
  if (!body.ends_with(closing)) return false;
  body.remove_suffix(closing.size());
  return body.empty() || body.back() == '\n' || body.back() == '\r';
}

}  // namespace

Wholeness wholeness_of(std::string_view message) {
  if (message.starts_with("From "))
    message.remove_prefix(std::min(message.find('\n'), message.size()));
  message.remove_prefix(message.starts_with('\n') ? 1 : 0);
  mime::Findings findings;
  const mime::Header header = mime::Header::read(message, 0, {}, findings);
  const std::string_view body = message.substr(std::min(header.size(), message.size()));
  if (const auto length = length_named(header)) {
    // The blank line behind the message is not part of it.
    const bool exact =
        body.size() >= *length && trim(body.substr(static_cast<size_t>(*length))).empty();
    if (exact) return Wholeness::whole;
    if (body.size() < *length) return Wholeness::open;
  }
  const mime::Field* const type = header.find("Content-Type");
  if (type == nullptr) return Wholeness::unknown;
  const mime::ContentValue content = mime::read_content_value(type->body);
  const std::string* const boundary = content.find("boundary");
  if (!content.value.starts_with("multipart/") || boundary == nullptr || boundary->empty()) {
    return Wholeness::unknown;
  }
  return ends_with_closing(body, *boundary) ? Wholeness::whole : Wholeness::open;
}

}  // namespace watchpost::ingest
