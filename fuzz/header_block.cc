// A header block as anybody may send it: the fields are pieces of it, in order and without overlap,
// each read again alone is the same field, and what is read is bounded.
#include "base/ascii.h"
#include "base/result.h"
#include "mime/header.h"
#include "mime/utf8.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using namespace watchpost;
using namespace watchpost::mime;

namespace {

void check_text(std::string_view body) {
  const std::string line = unfolded(body);
  WP_CHECK(line.size() <= body.size());
  WP_CHECK(line.find_first_of("\r\n") == std::string::npos);
  WP_CHECK(unfolded(line) == line);
}

// `from` is where the field before it ended; returns where this one does.
const char* check_field(const Field& field, const char* from, const char* end) {
  WP_CHECK(field.raw.data() >= from && field.raw.data() + field.raw.size() <= end);
  WP_CHECK(!field.name.empty() && field.name.data() == field.raw.data());
  WP_CHECK(field.body.data() > field.name.data() + field.name.size() - 1);
  WP_CHECK(field.body.data() + field.body.size() <= field.raw.data() + field.raw.size());
  WP_CHECK(field.name.find_first_of(" \t\r\n:") == std::string_view::npos ||
           field.name.find('\r') != std::string_view::npos);
  check_text(field.body);
  return field.raw.data() + field.raw.size();
}

void check_alone(const Field& field) {
  Findings findings;
  const Header alone = Header::read(field.raw, 0, Bounds(), findings);
  WP_CHECK(alone.fields().size() == 1);
  WP_CHECK(alone.fields()[0].name == field.name && alone.fields()[0].body == field.body);
}

void check(std::string_view bytes, const Bounds& bounds) {
  Findings findings;
  const Header header = Header::read(bytes, 7, bounds, findings);
  WP_CHECK(header.size() <= bytes.size());
  WP_CHECK(header.fields().size() <= bounds.fields);
  WP_CHECK(findings.all().size() <= Findings::kMost);
  for (const Finding& one : findings.all()) WP_CHECK(one.at >= 7 && one.at <= 7 + bytes.size());
  const char* from = bytes.data();
  size_t looked_at = 0;
  for (const Field& field : header.fields()) {
    from = check_field(field, from, bytes.data() + header.size());
    WP_CHECK(static_cast<size_t>(from - bytes.data()) <= bounds.header_bytes);
    if (++looked_at > 50) continue;
    check_alone(field);
    const Field* first = header.find(field.name);
    WP_CHECK(first != nullptr && first <= &field && equal_nocase(first->name, field.name));
    WP_CHECK(header.count(field.name) == header.all(field.name).size());
  }
  WP_CHECK(findings.has(Defect::eight_bit) == [&] {
    for (const Field& field : header.fields()) {
      if (valid_utf8_prefix(field.raw) < field.raw.size()) return true;
    }
    return false;
  }());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check(bytes, Bounds());
  check(bytes, {.header_bytes = 100, .fields = 5});
  check_text(bytes);
  return 0;
}
