// Unstructured bodies, and bytes in any charset: UTF-8 comes out, in proportion. Of the input the
// part before the first newline is also taken for a charset's name, and the rest for its bytes.
#include "base/result.h"
#include "mime/charset.h"
#include "mime/words.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using namespace watchpost;
using namespace watchpost::mime;

namespace {

void read(std::string_view body) {
  Findings findings;
  const std::string text = readable(body, 0, findings);
  WP_CHECK(is_utf8(text));
  WP_CHECK(text.size() <= 4 * body.size());
  WP_CHECK(findings.count() <= kDefects);
  for (const Finding& one : findings.all()) WP_CHECK(one.at <= body.size());
  WP_CHECK(readable(body) == text);
  WP_CHECK(encoded_word_size(body) <= body.size());
}

void convert(std::string_view bytes, std::string_view charset) {
  const Utf8Text whole = to_utf8(bytes, charset, 16 * bytes.size() + 16);
  WP_CHECK(is_utf8(whole.text));
  WP_CHECK(whole.whole);
  for (const size_t most : {size_t{0}, bytes.size() / 2, bytes.size()}) {
    const Utf8Text cut = to_utf8(bytes, charset, most);
    WP_CHECK(cut.text.size() <= most);
    WP_CHECK(whole.text.starts_with(cut.text));
    WP_CHECK(cut.whole == (cut.text.size() == whole.text.size()));
    WP_CHECK(cut.known == whole.known);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  read(text);
  const size_t line = std::min(text.find('\n'), text.size());
  convert(text.substr(std::min(line + 1, text.size())), text.substr(0, line));
  return 0;
}
