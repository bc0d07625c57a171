// Canonical forms: a body in pieces is that body as a whole, and has its canonical form already
// once it is in it; limits are those of the canonical bytes; a header field keeps to one line when
// relaxed. The first byte says where the body is cut.
#include "auth/dkim/canonical_body.h"
#include "auth/dkim/canonical_header.h"
#include "base/result.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using namespace watchpost;
using namespace watchpost::auth;

namespace {

std::string canonical(std::string_view text, Canonicalisation how, size_t piece) {
  CanonicalBody body(how);
  std::string kept;
  body.keep(kept);
  const size_t whole = body.want(std::nullopt), limited = body.want(piece);
  for (size_t at = 0; at < text.size(); at += piece) body.add(text.substr(at, piece));
  body.finish();
  WP_CHECK(body.size() == kept.size());
  WP_CHECK(body.digest(whole) == crypto::sha256(kept));
  WP_CHECK(body.digest(limited) == crypto::sha256(std::string_view(kept).substr(0, piece)));
  return kept;
}

void check_body(std::string_view text, Canonicalisation how, size_t piece) {
  const std::string whole = canonical(text, how, text.size() + 1);
  WP_CHECK(canonical(text, how, piece) == whole);
  WP_CHECK(canonical(text, how, 1) == whole);
  WP_CHECK(canonical(whole, how, piece) == whole);
  const bool relaxed = how == Canonicalisation::relaxed;
  WP_CHECK(whole.empty() ? relaxed : whole.ends_with("\r\n"));
  WP_CHECK(!whole.ends_with("\r\n\r\n"));
  if (!relaxed) return;
  WP_CHECK(whole.find('\t') == std::string::npos && whole.find("  ") == std::string::npos);
  WP_CHECK(whole.find(" \r\n") == std::string::npos);
}

void check_field(std::string_view text) {
  const std::string raw = "A:" + std::string(text) + "\r\n";
  std::string relaxed, simple;
  append_canonical(relaxed, raw, Canonicalisation::relaxed);
  append_canonical(simple, raw, Canonicalisation::simple);
  WP_CHECK(relaxed.starts_with("a:") && simple.starts_with("A:"));
  WP_CHECK(relaxed.find('\n') == std::string::npos && relaxed.find('\t') == std::string::npos);
  WP_CHECK(relaxed.find("  ") == std::string::npos);
  std::string again;
  append_canonical(again, relaxed + "\r\n", Canonicalisation::relaxed);
  WP_CHECK(again == relaxed);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t piece = std::max<size_t>(data[0], 1);
  check_body(text, Canonicalisation::simple, piece);
  check_body(text, Canonicalisation::relaxed, piece);
  check_field(text);
  return 0;
}
