// An address list as anybody may send it: everything comes out as UTF-8 and in proportion, and an
// address read without a finding is written so that it reads as itself.
#include "base/result.h"
#include "mime/address.h"
#include "mime/charset.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using namespace watchpost;
using namespace watchpost::mime;

namespace {

void check_reads_as_itself(const Address& address) {
  Findings findings;
  const auto again = read_addresses(address.text(), 0, findings);
  WP_CHECK(findings.count() == 0);
  WP_CHECK(again.size() == 1);
  WP_CHECK(again[0].local == address.local && again[0].domain == address.domain);
}

// Folds, pairs and blanks beside brackets are gone after one reading; what is then left is stable.
bool is_plain(std::string_view text) {
  return std::ranges::none_of(text, [](char c) {
    return (c >= 0 && c < 0x20) || c == 0x7F || std::string_view("()<>[]:;@\\,\"").contains(c);
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  Findings findings;
  const auto addresses = read_addresses(body, 0, findings);
  WP_CHECK(addresses.size() <= kMostAddresses && addresses.size() <= size);
  WP_CHECK(findings.all().size() <= Findings::kMost);
  for (const Finding& one : findings.all()) WP_CHECK(one.at <= size);
  size_t bytes = 0;
  for (const Address& one : addresses) {
    WP_CHECK(!one.name.empty() || !one.local.empty() || !one.domain.empty());
    for (const std::string* part : {&one.name, &one.local, &one.domain, &one.group}) {
      WP_CHECK(is_utf8(*part));
    }
    WP_CHECK(one.group.size() <= 256);
    bytes += one.name.size() + one.local.size() + one.domain.size();
    if (findings.count() == 0 && !one.domain.empty() && is_plain(one.domain)) {
      check_reads_as_itself(one);
    }
  }
  WP_CHECK(bytes <= 8 * size);
  const auto first = first_address(body);
  const auto with_domain =
      std::ranges::find_if(addresses, [](const Address& one) { return !one.domain.empty(); });
  WP_CHECK(first.has_value() == (with_domain != addresses.end()));
  WP_CHECK(!first || *first == *with_domain);
  return 0;
}
