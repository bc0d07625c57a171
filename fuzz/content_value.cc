// Content-Type and Content-Disposition as anybody may send them: names in lower case, values in
// UTF-8 and in proportion, each name once; what is not believed of a doubled one is kept as well.
#include "base/result.h"
#include "base/text.h"
#include "mime/charset.h"
#include "mime/content.h"

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

using namespace watchpost;
using namespace watchpost::mime;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  Findings findings;
  const ContentValue content = read_content_value(body, 0, findings);
  WP_CHECK(is_utf8(content.value));
  WP_CHECK(content.value == lower_ascii(content.value) && content.value.size() <= 3 * size);
  WP_CHECK(content.parameters.size() + content.others.size() <= kMostParameters);
  WP_CHECK(findings.all().size() <= Findings::kMost);
  for (const Finding& one : findings.all()) WP_CHECK(one.at <= size);
  WP_CHECK(content.others.empty() || findings.has(Defect::doubled_parameter));
  std::set<std::string> names;
  size_t bytes = 0;
  for (const auto& [name, value] : content.parameters) {
    WP_CHECK(!name.empty() && name == lower_ascii(name));
    WP_CHECK(names.insert(name).second);
    WP_CHECK(content.find(name) == &value);
    WP_CHECK(is_utf8(value));
    bytes += value.size();
  }
  for (const auto& [name, value] : content.others) {
    WP_CHECK(names.contains(name) && *content.find(name) != value);
    WP_CHECK(is_utf8(value));
    bytes += value.size();
  }
  WP_CHECK(bytes <= 4 * size);
  return 0;
}
