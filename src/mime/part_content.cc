#include "mime/part_content.h"

#include "base/text.h"
#include "mime/charset.h"

#include <algorithm>
#include <optional>

namespace watchpost::mime {
namespace {

constexpr size_t kLongestBoundary = 70;  // RFC 2046 section 5.1.1

size_t place_of(std::string_view text, std::string_view message) {
  return static_cast<size_t>(text.data() - message.data());
}

bool is_token(std::string_view text) {
  const auto in_token = [](char c) {
    return c > 0x20 && c < 0x7F &&
           std::string_view("()<>@,;:\\\"/[]?=").find(c) == std::string_view::npos;
  };
  return !text.empty() && std::ranges::all_of(text, in_token);
}

bool is_media_type(std::string_view value) {
  const size_t slash = value.find('/');
  return slash != std::string_view::npos && is_token(value.substr(0, slash)) &&
         is_token(value.substr(slash + 1));
}

bool is_message_type(std::string_view type) {
  return type == "message/rfc822" || type == "message/global" || type == "message/news";
}

void read_type(Part& part, std::string_view usual_type, std::string_view message,
               Findings& findings) {
  const Field* const field = part.header.find("Content-Type");
  if (field == nullptr) {
    part.type.value = usual_type;
    return;
  }
  const size_t at = place_of(field->body, message);
  part.type = read_content_value(field->body, at, findings);
  if (is_media_type(part.type.value)) return;
  findings.add(Defect::bad_content_type, at);
  part.type.value = "text/plain";
}

void read_transfer_encoding(Part& part, std::string_view message, Findings& findings) {
  const Field* const field = part.header.find("Content-Transfer-Encoding");
  if (field == nullptr) return;
  const auto encoding = read_encoding(field->body);
  const size_t at = place_of(field->body, message);
  if (!encoding) findings.add(Defect::bad_encoding, at);
  part.encoding = encoding.value_or(Encoding::identity);
  // RFC 2045 section 6.4; only of message/global RFC 6532 section 3.5 allows it.
  const bool forbidden = part.multipart() || part.type.value == "message/rfc822";
  if (forbidden && part.encoding != Encoding::identity) {
    findings.add(Defect::encoded_multipart, at);
  }
}

// RFC 2046 section 5.1.1.
bool in_boundary(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         std::string_view("'()+_,-./:=? ").find(c) != std::string_view::npos;
}

// The value of the parameter as it stands in the field, for boundaries that are not UTF-8: the
// parameter of read_content_value() has become UTF-8, the lines of the body have not.
std::optional<std::string> raw_boundary(std::string_view body) {
  constexpr std::string_view kName = "boundary";
  const std::string lower = lower_ascii(body);
  for (size_t at = lower.find(kName); at != std::string::npos; at = lower.find(kName, at + 1)) {
    size_t begin = lower.find_first_not_of(" \t\r\n", at + kName.size());
    if (begin == std::string::npos || body[begin] != '=') continue;
    begin = lower.find_first_not_of(" \t\r\n", begin + 1);
    if (begin == std::string::npos) return std::nullopt;
    if (body[begin] != '"') {
      return std::string(body.substr(begin, body.find_first_of("; \t\r\n", begin) - begin));
    }
    return std::string(body.substr(begin + 1, body.find('"', begin + 1) - begin - 1));
  }
  return std::nullopt;
}

}  // namespace

void read_content(Part& part, std::string_view usual_type, std::string_view message,
                  Findings& findings) {
  read_type(part, usual_type, message, findings);
  if (const Field* const field = part.header.find("Content-Disposition")) {
    part.disposition = read_content_value(field->body, place_of(field->body, message), findings);
  }
  read_transfer_encoding(part, message, findings);
}

bool holds_message(const Part& part) {
  return part.encoding == Encoding::identity && is_message_type(part.type.value);
}

std::string boundary_of(const Part& part, std::string_view message, Findings& findings) {
  const Field* const field = part.header.find("Content-Type");
  const size_t at = field == nullptr ? 0 : place_of(field->body, message);
  const std::string* const given = part.type.find("boundary");
  if (field == nullptr || given == nullptr) {
    findings.add(Defect::no_boundary, at);
    return {};
  }
  std::string boundary = is_utf8(field->body) ? *given : raw_boundary(field->body).value_or(*given);
  // No boundary ends with a blank, and the lines that carry it may: RFC 2046 section 5.1.1.
  const size_t last = boundary.find_last_not_of(" \t");
  const bool blanks = last + 1 != boundary.size();
  boundary.resize(last + 1);
  const bool bad = blanks || boundary.empty() || boundary.size() > kLongestBoundary ||
                   !std::ranges::all_of(boundary, in_boundary);
  if (bad) findings.add(Defect::bad_boundary, at);
  return boundary;
}

}  // namespace watchpost::mime
