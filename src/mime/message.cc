#include "mime/message.h"

#include "mime/charset.h"
#include "mime/tree.h"

#include <algorithm>
#include <utility>

namespace watchpost::mime {
namespace {

// In place: the text only gets shorter. Of several carriage returns before a line feed, which come
// of mail that was converted twice, none stays.
void end_lines_with_lf(std::string& text) {
  size_t out = text.find('\r');
  if (out == std::string::npos) return;
  for (size_t at = out; at < text.size();) {
    const size_t behind = std::min(text.find_first_not_of('\r', at), text.size());
    if (behind == text.size() || text[behind] != '\n') {
      std::fill_n(text.data() + out, behind - at, '\r');
      out += behind - at;
    }
    const size_t next = std::min(text.find('\r', behind), text.size());
    std::char_traits<char>::move(text.data() + out, text.data() + behind, next - behind);
    out += next - behind;
    at = next;
  }
  text.resize(out);
}

}  // namespace

Message Message::read(std::string_view bytes, const Bounds& bounds) {
  Message message;
  message.bytes_ = bytes;
  message.bounds_ = bounds;
  Tree tree = read_tree(bytes, bounds);
  message.parts_ = std::move(tree.parts);
  message.findings_ = std::move(tree.findings);
  return message;
}

std::string Message::decoded(const Part& part, Findings& findings) const {
  const auto begin = static_cast<size_t>(part.body.data() - bytes_.data());
  return mime::decoded(part.body, part.encoding, begin, bounds_.decoded_bytes, findings);
}

std::string Message::text(const Part& part, Findings& findings) const {
  const auto begin = static_cast<size_t>(part.body.data() - bytes_.data());
  const std::string* const charset = part.type.find("charset");
  Utf8Text read =
      to_utf8(decoded(part, findings), charset == nullptr ? "" : *charset, bounds_.decoded_bytes);
  if (!read.known) findings.add(Defect::unknown_charset, begin);
  if (!read.clean) findings.add(Defect::bad_charset_bytes, begin);
  if (!read.whole) findings.add(Defect::decoded_too_large, begin);
  end_lines_with_lf(read.text);
  return std::move(read.text);
}

std::string Message::decoded(const Part& part) const {
  Findings unasked;
  return decoded(part, unasked);
}

std::string Message::text(const Part& part) const {
  Findings unasked;
  return text(part, unasked);
}

std::string Message::file_name(const Part& part) {
  const std::string* name = part.disposition.find("filename");
  if (name == nullptr) name = part.type.find("name");
  if (name == nullptr) return {};
  return *name;
}

}  // namespace watchpost::mime
